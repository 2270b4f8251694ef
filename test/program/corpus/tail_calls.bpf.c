/* A pipeline of programs that jump into one another. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(key_size, sizeof(__u32));
  __uint(max_entries, 8);
  __array(values, int(void *));
} stages SEC(".maps");

__u32 path[8];
__u32 steps;

#define STEP(n) do { if (steps < 8) path[steps++] = n; } while (0)

SEC("xdp") int drop(struct xdp_md *ctx) { STEP(3); return XDP_DROP; }

SEC("xdp")
int middle(struct xdp_md *ctx)
{
  STEP(2);
  if (ctx->data_end - ctx->data > 60)
    bpf_tail_call(ctx, &stages, 1);
  return XDP_TX;
}

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(key_size, sizeof(__u32));
  __uint(max_entries, 8);
  __array(values, int(void *));
} filled SEC(".maps") = { .values = { [0] = (void *)&middle, [5] = (void *)&drop } };

SEC("xdp")
int entry(struct xdp_md *ctx)
{
  steps = 0;
  STEP(1);
  bpf_tail_call(ctx, &stages, 7);
  STEP(9);
  bpf_tail_call(ctx, &filled, ctx->data_end - ctx->data > 100 ? 5 : 0);
  return XDP_ABORTED;
}
