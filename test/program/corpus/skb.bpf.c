/* Reads and writes a packet through helpers. */
#include "packet.h"

__u8 header[20];
__s32 results[4];

SEC("tc")
int edit(struct __sk_buff *skb)
{
  __u8 ttl = 63;

  results[0] = bpf_skb_load_bytes(skb, 14, header, sizeof(header));
  results[1] = bpf_skb_store_bytes(skb, 22, &ttl, 1, 0);
  results[2] = bpf_skb_load_bytes(skb, 100000, header, 4);
  skb->mark = skb->len * 2;
  skb->cb[0] = header[0];
  results[3] = skb->mark;
  return skb->len > 60 ? 2 : 0;
}

SEC("socket")
int length(struct __sk_buff *skb)
{
  return skb->len;
}
