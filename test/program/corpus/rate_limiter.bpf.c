/* A token bucket for each source, with a clock that the test winds. */
#include "packet.h"

struct bucket {
  __u64 last;
  __u32 tokens;
};

const volatile __u32 rate = 2, burst = 3;
__u64 now;

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __type(key, __u32);
  __type(value, struct bucket);
  __uint(max_entries, 128);
} buckets SEC(".maps");

SEC("xdp")
int limit(struct xdp_md *ctx)
{
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);
  struct bucket *bucket, fresh;
  __u64 tokens;
  __u32 key;

  now += 1;
  if ((void *)(ip + 1) > (void *)(long)ctx->data_end)
    return XDP_PASS;
  key = ip->saddr;
  bucket = bpf_map_lookup_elem(&buckets, &key);
  if (!bucket) {
    fresh.last = now;
    fresh.tokens = burst - 1;
    *(__u32 *)((char *)&fresh + 12) = 0;
    bpf_map_update_elem(&buckets, &key, &fresh, BPF_ANY);
    return XDP_PASS;
  }
  tokens = bucket->tokens + (now - bucket->last) / 4 * rate;
  bucket->last = now;
  if (tokens > burst)
    tokens = burst;
  if (tokens == 0) {
    bucket->tokens = 0;
    return XDP_DROP;
  }
  bucket->tokens = tokens - 1;
  return XDP_PASS;
}
