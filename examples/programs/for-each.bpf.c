/* bpf_for_each_map_elem: what programs have instead of next key. A function sees every entry. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1024);
} hits SEC(".maps");

__u64 sum;
long entries;

struct bpf_map;

static long add(struct bpf_map *map, __u32 *key, __u64 *value, void *ctx)
{
  sum += *value;
  return 0; /* 1 would end it */
}

SEC("xdp")
int walk(struct xdp_md *ctx)
{
  sum = 0;
  entries = bpf_for_each_map_elem(&hits, add, 0, 0);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
