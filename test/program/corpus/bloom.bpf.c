/* Whether an address was seen before, by a bloom filter. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
  __type(value, __u32);
  __uint(max_entries, 1000);
  __uint(map_extra, 3);
} seen SEC(".maps");

__u32 again;

SEC("xdp")
int look(struct xdp_md *ctx)
{
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);
  __u32 address;

  if ((void *)(ip + 1) > (void *)(long)ctx->data_end)
    return XDP_DROP;
  address = ip->saddr;
  if (bpf_map_peek_elem(&seen, &address) == 0) {
    again++;
    return XDP_PASS;
  }
  bpf_map_push_elem(&seen, &address, BPF_ANY);
  return XDP_TX;
}
