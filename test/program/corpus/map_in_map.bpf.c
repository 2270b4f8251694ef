/* A table of counters for each user, made beforehand. */
#include "packet.h"

struct table {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 4);
} red SEC(".maps"), blue SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
  __type(key, __u32);
  __uint(max_entries, 4);
  __array(values, struct table);
} by_id SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __type(key, __u32);
  __uint(max_entries, 4);
  __array(values, struct table);
} by_index SEC(".maps") = { .values = { [0] = &red, [3] = &blue } };

SEC("xdp")
int count(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data, index = length & 3, slot = length % 5;
  void *table = bpf_map_lookup_elem(&by_index, &index);
  __u64 *value;

  if (!table)
    return XDP_DROP;
  value = bpf_map_lookup_elem(table, &slot);
  if (!value)
    return XDP_ABORTED;
  *value += length;
  return bpf_map_lookup_elem(&by_id, &index) ? XDP_TX : XDP_PASS;
}
