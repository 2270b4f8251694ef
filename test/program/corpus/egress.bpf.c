/* What may leave a cgroup. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 2);
} bytes SEC(".maps");

SEC("cgroup_skb/egress")
int egress(struct __sk_buff *skb)
{
  __u32 key = skb->protocol == bpf_htons(ETH_P_IP);
  __u64 *sum = bpf_map_lookup_elem(&bytes, &key);

  if (sum)
    __sync_fetch_and_add(sum, skb->len);
  return skb->len < 90;
}
