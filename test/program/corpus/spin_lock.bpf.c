/* Two numbers that change together, under a lock. */
#include "packet.h"

struct account {
  struct bpf_spin_lock lock;
  __u32 packets;
  __u64 bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct account);
  __uint(max_entries, 2);
} accounts SEC(".maps");

SEC("tc")
int book(struct __sk_buff *skb)
{
  __u32 key = skb->len & 1;
  struct account *account = bpf_map_lookup_elem(&accounts, &key);

  if (!account)
    return 2;
  bpf_spin_lock(&account->lock);
  account->packets++;
  account->bytes += skb->len;
  bpf_spin_unlock(&account->lock);
  return 0;
}
