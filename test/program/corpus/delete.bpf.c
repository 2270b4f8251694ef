/* Entries that come and go. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u64);
  __type(value, __u64);
  __uint(max_entries, 3);
} sessions SEC(".maps");

__s32 results[6];

SEC("syscall")
int churn(__u32 *ctx)
{
  __u64 key = ctx[0] % 5, value = ctx[1];

  results[0] = bpf_map_update_elem(&sessions, &key, &value, BPF_NOEXIST);
  results[1] = bpf_map_update_elem(&sessions, &key, &value, BPF_EXIST);
  key++;
  results[2] = bpf_map_update_elem(&sessions, &key, &value, BPF_ANY);
  key = ctx[1] % 5;
  results[3] = bpf_map_delete_elem(&sessions, &key);
  results[4] = bpf_map_delete_elem(&sessions, &key);
  key = 77;
  results[5] = bpf_map_update_elem(&sessions, &key, &value, 7);
  return bpf_map_lookup_elem(&sessions, &key) != 0;
}
