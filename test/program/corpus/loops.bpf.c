/* Loops: unrolled, bounded, and by bpf_loop. */
#include "packet.h"

__u64 sums[4];

struct state {
  __u64 sum;
  __u32 stop;
};

static int add(__u32 index, struct state *state)
{
  state->sum += index * 3;
  return index >= state->stop;
}

SEC("syscall")
int sum(__u32 *ctx)
{
  __u32 n = ctx[0] & 63;
  struct state state = { 0, n };

#pragma unroll
  for (int i = 0; i < 10; i++)
    sums[0] += i * n;
  for (__u32 i = 0; i < n; i++)
    sums[1] += i ^ n;
  bpf_loop(100, add, &state, 0);
  sums[2] += state.sum;
  sums[3] += bpf_loop(n, add, &state, 0);
  return state.sum;
}
