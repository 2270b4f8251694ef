/* Every third packet is let through; the others by a table of verdicts. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u8);
  __uint(max_entries, 3);
} verdicts SEC(".maps");

static __u32 turn;

SEC("xdp")
int sample(struct xdp_md *ctx)
{
  __u32 key = turn++ % 3;
  __u8 *verdict = bpf_map_lookup_elem(&verdicts, &key);

  if (key == 0 || !verdict)
    return XDP_PASS;
  *verdict = (*verdict + 1) % 5;
  switch (*verdict) {
  case 0: return XDP_ABORTED;
  case 1: return XDP_DROP;
  case 2: return XDP_PASS;
  case 3: return XDP_TX;
  default: return XDP_REDIRECT;
  }
}
