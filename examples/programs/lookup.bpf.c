/* bpf_map_lookup_elem: the address of a value, NULL when the key is not there. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1024);
} hits SEC(".maps");

const volatile __u32 wanted = 10;

SEC("xdp")
int lookup(struct xdp_md *ctx)
{
  __u32 key = wanted;
  __u64 *value = bpf_map_lookup_elem(&hits, &key);

  if (!value)
    return XDP_DROP;
  /* What is written here is in the map: no update is needed. */
  __sync_fetch_and_add(value, 1);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
