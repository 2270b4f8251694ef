/* A firewall: networks to drop in a trie, ports to let through in a hash. */
#include "packet.h"

struct network {
  __u32 length;
  __be32 address;
};

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __type(key, struct network);
  __type(value, __u32);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 64);
} denied SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __be16);
  __type(value, __u8);
  __uint(max_entries, 64);
} ports SEC(".maps");

__u32 dropped, passed;

SEC("xdp")
int configure(struct xdp_md *ctx)
{
  struct network office = { 24, bpf_htonl(0x0a000000) }, host = { 32, bpf_htonl(0x0a000007) };
  __u32 deny = 1, allow = 0;
  __be16 http = bpf_htons(80);
  __u8 yes = 1;

  return bpf_map_update_elem(&denied, &office, &deny, 0) | bpf_map_update_elem(&denied, &host, &allow, 0) |
         bpf_map_update_elem(&ports, &http, &yes, 0);
}

SEC("xdp")
int filter(struct xdp_md *ctx)
{
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  struct iphdr *ip = (void *)(eth + 1);
  struct network key;
  __u32 *deny;

  if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
    return XDP_PASS;
  key.length = 32;
  key.address = ip->saddr;
  deny = bpf_map_lookup_elem(&denied, &key);
  if (!deny || !*deny) {
    passed++;
    return XDP_PASS;
  }
  if (ip->protocol == IPPROTO_TCP && ip->ihl == 5) {
    struct tcphdr *tcp = (void *)(ip + 1);

    if ((void *)(tcp + 1) <= end) {
      __be16 port = tcp->dest;

      if (bpf_map_lookup_elem(&ports, &port)) {
        passed++;
        return XDP_PASS;
      }
    }
  }
  dropped++;
  return XDP_DROP;
}
