/* Packets and bytes by source address, in a struct. */
#include "packet.h"

struct traffic {
  __u32 packets;
  __u64 bytes;
  __u16 longest;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __be32);
  __type(value, struct traffic);
  __uint(max_entries, 1024);
} sources SEC(".maps");

static __always_inline struct iphdr *ipv4(struct xdp_md *ctx)
{
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);

  if ((void *)(ip + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IP))
    return 0;
  return ip;
}

SEC("xdp")
int traffic(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data;
  struct iphdr *ip = ipv4(ctx);
  struct traffic *known, fresh;

  if (!ip)
    return XDP_DROP;
  __builtin_memset(&fresh, 0, sizeof(fresh));
  fresh.packets = 1;
  fresh.bytes = length;
  fresh.longest = length;
  known = bpf_map_lookup_elem(&sources, &ip->saddr);
  if (!known)
    return bpf_map_update_elem(&sources, &ip->saddr, &fresh, BPF_ANY) ? XDP_ABORTED : XDP_PASS;
  known->packets++;
  known->bytes += length;
  if (length > known->longest)
    known->longest = length;
  return XDP_PASS;
}
