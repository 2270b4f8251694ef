/* Reads the first label of a DNS question. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(key_size, 16);
  __uint(value_size, 4);
  __uint(max_entries, 64);
} names SEC(".maps");

SEC("xdp")
int question(struct xdp_md *ctx)
{
  void *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);
  struct udphdr *udp = (void *)(ip + 1);
  __u8 *label = (void *)(udp + 1) + 12;
  char name[16] = {};
  __u32 one = 1, *count;

  if ((void *)(label + 1) > end || ip->protocol != IPPROTO_UDP || udp->dest != bpf_htons(53))
    return XDP_PASS;
  for (int i = 0; i < 15; i++) {
    if ((void *)(label + i + 2) > end || i >= label[0])
      break;
    name[i] = label[i + 1];
  }
  count = bpf_map_lookup_elem(&names, name);
  if (count)
    *count += 1;
  else
    bpf_map_update_elem(&names, name, &one, BPF_ANY);
  return XDP_PASS;
}
