/* IPv6 flows. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, struct in6_addr);
  __type(value, __u32);
  __uint(max_entries, 16);
} flows SEC(".maps");

SEC("xdp")
int flow(struct xdp_md *ctx)
{
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct ipv6hdr *ip = (void *)(eth + 1);
  struct in6_addr source;
  __u32 one = 1, *count;

  if ((void *)(ip + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IPV6))
    return XDP_PASS;
  source = ip->saddr;
  count = bpf_map_lookup_elem(&flows, &source);
  if (count)
    *count += 1;
  else
    bpf_map_update_elem(&flows, &source, &one, BPF_ANY);
  return ip->nexthdr == IPPROTO_TCP ? XDP_TX : XDP_DROP;
}
