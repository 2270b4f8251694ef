/* A load balancer: a hash of the connection chooses a backend. */
#include "packet.h"

struct backend { __be32 address; __u32 weight; };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct backend);
  __uint(max_entries, 4);
} backends SEC(".maps");

static __always_inline __u32 mix(__u32 a, __u32 b, __u32 c)
{
  a -= c; a ^= (c << 4) | (c >> 28); c += b;
  b -= a; b ^= (a << 6) | (a >> 26); a += c;
  c -= b; c ^= (b << 8) | (b >> 24); b += a;
  return a ^ b ^ c;
}

SEC("xdp")
int balance(struct xdp_md *ctx)
{
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);
  struct udphdr *udp = (void *)(ip + 1);
  struct backend *backend;
  __u32 key;

  if ((void *)(udp + 1) > (void *)(long)ctx->data_end || eth->h_proto != bpf_htons(ETH_P_IP))
    return XDP_PASS;
  key = mix(ip->saddr, ip->daddr, *(__u32 *)udp) % 4;
  backend = bpf_map_lookup_elem(&backends, &key);
  if (!backend)
    return XDP_ABORTED;
  backend->weight++;
  ip->daddr = backend->address ? backend->address : bpf_htonl(0x0a0a0a00 | key);
  eth->h_dest[5] = key;
  return XDP_TX;
}
