/* bpf_map_delete_elem: 0, or -ENOENT when the key is not there. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1024);
} hits SEC(".maps");

int first, second;

SEC("xdp")
int delete(struct xdp_md *ctx)
{
  __u32 key = 20;

  first = bpf_map_delete_elem(&hits, &key);
  second = bpf_map_delete_elem(&hits, &key);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
