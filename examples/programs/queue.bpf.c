/* bpf_map_push_elem, bpf_map_peek_elem and bpf_map_pop_elem: what programs have instead of take, on queues and stacks. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_QUEUE);
  __type(value, __u32);
  __uint(max_entries, 4);
} waiting SEC(".maps");

__u32 oldest;

SEC("xdp")
int enqueue(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data;

  return bpf_map_push_elem(&waiting, &length, BPF_ANY) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int dequeue(struct xdp_md *ctx)
{
  __u32 length = 0;

  if (bpf_map_peek_elem(&waiting, &oldest) || bpf_map_pop_elem(&waiting, &length))
    return XDP_DROP;
  return length == oldest ? XDP_PASS : XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";
