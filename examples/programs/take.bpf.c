/*
 * bpf_map_lookup_and_delete_elem: takes a value out of a hash. The embedded kernel has it for programs; Linux has it for user
 * space alone, and refuses this program. What works there too is a lookup, and then bpf_map_delete_elem.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static void *(*const bpf_map_lookup_and_delete_elem)(void *map, const void *key) = (void *)212;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1024);
} hits SEC(".maps");

__u64 taken;

SEC("xdp")
int take(struct xdp_md *ctx)
{
  __u32 key = 20;
  __u64 *value = bpf_map_lookup_and_delete_elem(&hits, &key);

  if (!value)
    return XDP_DROP;
  taken = *value;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
