/* Counters of every CPU. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 4);
} actions SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 64);
} sizes SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data, action = length % 4;
  __u64 one = 1, *count = bpf_map_lookup_elem(&actions, &action);

  if (count)
    *count += 1;
  count = bpf_map_lookup_elem(&sizes, &length);
  if (count)
    *count += length;
  else
    bpf_map_update_elem(&sizes, &length, &one, BPF_ANY);
  return action;
}
