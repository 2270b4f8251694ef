/* Answers pings: swaps addresses and mends the checksum. */
#include "packet.h"

#define ICMP_ECHO 8
#define ICMP_ECHOREPLY 0

struct icmphdr {
  __u8 type, code;
  __be16 checksum, id, sequence;
};

SEC("xdp")
int pong(struct xdp_md *ctx)
{
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  struct iphdr *ip = (void *)(eth + 1);
  struct icmphdr *icmp = (void *)(ip + 1);
  unsigned char mac[ETH_ALEN];
  __be32 address;
  __u32 sum;

  if ((void *)(icmp + 1) > end)
    return XDP_PASS;
  if (eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_ICMP || icmp->type != ICMP_ECHO)
    return XDP_PASS;
  __builtin_memcpy(mac, eth->h_source, ETH_ALEN);
  __builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
  address = ip->saddr;
  ip->saddr = ip->daddr;
  ip->daddr = address;
  icmp->type = ICMP_ECHOREPLY;
  sum = (__u16)~icmp->checksum + (__u16)~bpf_htons(ICMP_ECHO << 8);
  sum = (sum & 0xffff) + (sum >> 16);
  icmp->checksum = ~(sum + (sum >> 16));
  return XDP_TX;
}
