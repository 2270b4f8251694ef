/* Counts packets by the protocol that they carry, and drops those that are too long. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u8);
  __type(value, __u64);
  __uint(max_entries, 256);
} packets SEC(".maps");

const volatile __u32 longest = 1500;
__u64 dropped;

SEC("xdp")
int count(struct xdp_md *ctx)
{
  void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
  struct ethhdr *eth = data;
  struct iphdr *ip = (void *)(eth + 1);
  __u64 one = 1, *counted;

  if (end - data > longest) {
    __sync_fetch_and_add(&dropped, 1);
    return XDP_DROP;
  }
  if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
    return XDP_PASS;
  counted = bpf_map_lookup_elem(&packets, &ip->protocol);
  if (counted)
    __sync_fetch_and_add(counted, 1);
  else
    bpf_map_update_elem(&packets, &ip->protocol, &one, BPF_ANY);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
