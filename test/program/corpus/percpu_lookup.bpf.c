/* The values of another CPU. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, 2);
} values SEC(".maps");

__u32 sum;

SEC("syscall")
int add(__u32 *ctx)
{
  __u32 key = 1, *value;

  value = bpf_map_lookup_percpu_elem(&values, &key, 0);
  if (value)
    *value += ctx[0];
  value = bpf_map_lookup_percpu_elem(&values, &key, 100000);
  if (value)
    return 1;
  value = bpf_map_lookup_percpu_elem(&values, &key, 0);
  if (value)
    sum = *value;
  return sum;
}
