/* bpf_tail_call: another program takes the place of this one. It comes back only when there is none. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int drop(struct xdp_md *ctx);

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __array(values, int(void *));
} next SEC(".maps") = {
  .values = { [1] = (void *)&drop },
};

SEC("xdp")
int drop(struct xdp_md *ctx)
{
  return XDP_DROP;
}

SEC("xdp")
int decide(struct xdp_md *ctx)
{
  __u32 is_long = ctx->data_end - ctx->data > 1000;

  bpf_tail_call(ctx, &next, is_long);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
