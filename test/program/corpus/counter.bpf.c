/* Counts packets by protocol. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u8);
  __type(value, __u64);
  __uint(max_entries, 256);
} protocols SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  struct iphdr *ip = (void *)(eth + 1);
  __u64 one = 1, *hits;

  if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
    return XDP_PASS;
  hits = bpf_map_lookup_elem(&protocols, &ip->protocol);
  if (hits)
    __sync_fetch_and_add(hits, 1);
  else
    bpf_map_update_elem(&protocols, &ip->protocol, &one, BPF_NOEXIST);
  return XDP_PASS;
}
