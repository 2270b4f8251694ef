/* bpf_perf_event_output: a record into the ring of this CPU, and the first bytes of the packet behind it. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} events SEC(".maps");

SEC("xdp")
int sample(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data;
  __u64 first = length < 16 ? length : 16;

  return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU | first << 32, &length, sizeof(length)) ? XDP_ABORTED
                                                                                                      : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
