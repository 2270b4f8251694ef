/* The checksum of an IP header, by hand and by helper. */
#include "packet.h"

__u32 by_hand, by_helper;

SEC("xdp")
int check(struct xdp_md *ctx)
{
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);
  __u16 *word = (void *)ip;
  __u32 copy[5], sum = 0;
  __s64 diff;

  if ((void *)(ip + 1) > (void *)(long)ctx->data_end)
    return XDP_PASS;
  for (int i = 0; i < 10; i++)
    sum += word[i];
  sum = (sum & 0xffff) + (sum >> 16);
  by_hand = (__u16)~(sum + (sum >> 16));
  __builtin_memcpy(copy, ip, sizeof(copy));
  diff = bpf_csum_diff(0, 0, copy, sizeof(copy), 0);
  diff = (diff & 0xffff) + (diff >> 16);
  by_helper = (__u16)~(diff + (diff >> 16));
  return by_hand == by_helper ? XDP_PASS : XDP_ABORTED;
}
