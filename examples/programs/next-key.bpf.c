/*
 * bpf_map_get_next_key: the key behind another, or the first one behind NULL. The embedded kernel has it for programs; Linux has
 * it for user space alone, and refuses this program. What works there too is bpf_for_each_map_elem.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static long (*const bpf_map_get_next_key)(void *map, const void *key, void *next) = (void *)213;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1024);
} hits SEC(".maps");

__u32 keys[4], count;

SEC("xdp")
int walk(struct xdp_md *ctx)
{
  __u32 key, next;
  long error = bpf_map_get_next_key(&hits, 0, &next);

  count = 0;
  for (int i = 0; i < 4; i++) {
    if (error)
      break;
    key = keys[i] = next;
    count++;
    error = bpf_map_get_next_key(&hits, &key, &next);
  }
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
