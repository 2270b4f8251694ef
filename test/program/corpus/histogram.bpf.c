/* A histogram of packet lengths in powers of two. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 32);
} lengths SEC(".maps");

static __always_inline __u32 log2_of(__u32 v)
{
  __u32 shift, r;

  r = (v > 0xFFFF) << 4; v >>= r;
  shift = (v > 0xFF) << 3; v >>= shift; r |= shift;
  shift = (v > 0xF) << 2; v >>= shift; r |= shift;
  shift = (v > 0x3) << 1; v >>= shift; r |= shift;
  return r | (v >> 1);
}

SEC("tc")
int observe(struct __sk_buff *skb)
{
  __u32 slot = log2_of(skb->len);
  __u64 *count = bpf_map_lookup_elem(&lengths, &slot);

  if (count)
    (*count)++;
  return 0;
}
