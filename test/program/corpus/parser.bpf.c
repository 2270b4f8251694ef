/* A packet parser with VLAN tags and IP options. */
#include "packet.h"

struct vlan {
  __be16 tci;
  __be16 proto;
};

struct parsed {
  __u16 ethertype, vlan, source, dest;
  __u8 protocol, ttl, options;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct parsed);
  __uint(max_entries, 1);
} last SEC(".maps");

SEC("xdp")
int parse(struct xdp_md *ctx)
{
  void *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = at;
  struct parsed out = {};
  __u32 zero = 0;
  __be16 proto;

  if ((void *)(eth + 1) > end)
    return XDP_ABORTED;
  proto = eth->h_proto;
  at = eth + 1;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    struct vlan *tag = at;

    if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
      break;
    if ((void *)(tag + 1) > end)
      return XDP_DROP;
    out.vlan = bpf_ntohs(tag->tci) & 0xfff;
    proto = tag->proto;
    at = tag + 1;
  }
  out.ethertype = bpf_ntohs(proto);
  if (proto == bpf_htons(ETH_P_IP)) {
    struct iphdr *ip = at;
    __u32 length;

    if ((void *)(ip + 1) > end)
      return XDP_DROP;
    length = ip->ihl * 4;
    if (length < sizeof(*ip))
      return XDP_DROP;
    out.protocol = ip->protocol;
    out.ttl = ip->ttl;
    out.options = length - sizeof(*ip);
    at += length;
    if (ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_TCP) {
      struct udphdr *udp = at;

      if ((void *)(udp + 1) > end)
        return XDP_DROP;
      out.source = bpf_ntohs(udp->source);
      out.dest = bpf_ntohs(udp->dest);
    }
  }
  bpf_map_update_elem(&last, &zero, &out, BPF_ANY);
  return XDP_PASS;
}
