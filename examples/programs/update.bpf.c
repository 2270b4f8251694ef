/* bpf_map_update_elem: gives a key a value, and says why not. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1);
} hits SEC(".maps");

/* What bpf_map_update_elem answered. */
int fresh, again, existing, full;

SEC("xdp")
int update(struct xdp_md *ctx)
{
  __u32 key = 5;
  __u64 value = 100;

  fresh = bpf_map_update_elem(&hits, &key, &value, BPF_NOEXIST);
  again = bpf_map_update_elem(&hits, &key, &value, BPF_NOEXIST);
  value = 200;
  existing = bpf_map_update_elem(&hits, &key, &value, BPF_EXIST);
  key = 6;
  full = bpf_map_update_elem(&hits, &key, &value, BPF_ANY);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
