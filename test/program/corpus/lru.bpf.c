/* The connections that were used last. */
#include "packet.h"

struct connection {
  __be32 saddr, daddr;
  __be16 sport, dport;
  __u8 protocol, pad[3];
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __type(key, struct connection);
  __type(value, __u64);
  __uint(max_entries, 1024);
} connections SEC(".maps");

SEC("tc")
int track(struct __sk_buff *skb)
{
  void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
  struct ethhdr *eth = data;
  struct iphdr *ip = (void *)(eth + 1);
  struct udphdr *udp = (void *)(ip + 1);
  struct connection key = {};
  __u64 one = 1, *count;

  if ((void *)(udp + 1) > end || skb->protocol != bpf_htons(ETH_P_IP))
    return 1;
  key.saddr = ip->saddr;
  key.daddr = ip->daddr;
  key.protocol = ip->protocol;
  key.sport = udp->source;
  key.dport = udp->dest;
  count = bpf_map_lookup_elem(&connections, &key);
  if (count)
    __sync_fetch_and_add(count, 1);
  else
    bpf_map_update_elem(&connections, &key, &one, BPF_ANY);
  return 0;
}
