/* bpf_redirect_map: where a packet goes on, by a map of devices; or what becomes of it when there is none. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, 8);
} devices SEC(".maps");

SEC("xdp")
int forward(struct xdp_md *ctx)
{
  return bpf_redirect_map(&devices, 3, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
