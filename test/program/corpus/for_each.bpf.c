/* Sums what is in maps, and deletes what is small. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 32);
} numbers SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, 8);
} table SEC(".maps");

struct bpf_map;
struct total { __u64 sum; __u32 keys; };
__u64 total, seen;
__u32 factor;

static long sum(struct bpf_map *map, __u32 *key, __u64 *value, struct total *total)
{
  total->sum += *value;
  total->keys += *key;
  if (*value < 10)
    bpf_map_delete_elem(map, key);
  return 0;
}

static long fill(struct bpf_map *map, __u32 *key, __u32 *value, __u64 *count)
{
  *value = *key * *key;
  (*count)++;
  return *key >= 5;
}

static int put(__u32 index, void *ctx)
{
  __u64 value = factor * index;

  bpf_map_update_elem(&numbers, &index, &value, BPF_ANY);
  return 0;
}

SEC("syscall")
int walk(__u32 *ctx)
{
  struct total all = {};
  __u64 count = 0;

  factor = ctx[0];
  bpf_loop(12, put, 0, 0);
  seen = bpf_for_each_map_elem(&numbers, sum, &all, 0);
  total += all.sum + all.keys;
  bpf_for_each_map_elem(&table, fill, &count, 0);
  return count;
}
