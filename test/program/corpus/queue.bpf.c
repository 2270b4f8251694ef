/* A queue of lengths and a stack of them. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_QUEUE);
  __type(value, __u32);
  __uint(max_entries, 4);
} waiting SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_STACK);
  __type(value, __u64);
  __uint(max_entries, 4);
} undone SEC(".maps");

__s64 results[3];

SEC("xdp")
int enqueue(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data;
  __u64 wide = length * 3ULL, top = 0;

  results[0] = bpf_map_push_elem(&waiting, &length, BPF_EXIST);
  results[1] = bpf_map_push_elem(&undone, &wide, 0);
  results[2] = bpf_map_peek_elem(&undone, &top);
  if (length & 2) {
    __u32 oldest = 0;

    bpf_map_pop_elem(&waiting, &oldest);
    return oldest & 3;
  }
  return top & 3;
}
