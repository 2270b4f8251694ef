/* Goes through maps of every type whose elements can be gone through, twelve times one after the other in one function. */
#include "packet.h"

#define MAP(name, kind)                                                              \
  struct {                                                                           \
    __uint(type, BPF_MAP_TYPE_##kind);                                               \
    __type(key, __u32);                                                              \
    __type(value, __u64);                                                            \
    __uint(max_entries, 64);                                                         \
  } name SEC(".maps")

MAP(hash, HASH);
MAP(array, ARRAY);
MAP(percpu_hash, PERCPU_HASH);
MAP(percpu_array, PERCPU_ARRAY);
MAP(lru_hash, LRU_HASH);
MAP(lru_percpu_hash, LRU_PERCPU_HASH);

struct bpf_map;

struct walk {
  __u64 sum;
  __u64 steps;
};

struct walk walks[12];
long given[14];

static long step(struct bpf_map *map, __u32 *key, __u64 *value, struct walk *walk)
{
  walk->sum += *value * 31 + *key;
  *value += 1;
  walk->steps++;
  return 0;
}

static long first(struct bpf_map *map, __u32 *key, __u64 *value, struct walk *walk)
{
  walk->steps++;
  return 1;
}

static long remove(struct bpf_map *map, __u32 *key, __u64 *value, void *ctx)
{
  if (*key % 3 == 0)
    bpf_map_delete_elem(map, key);
  return 0;
}

#define WALK(map, at)                                                                \
  do {                                                                               \
    struct walk walk = {};                                                       \
                                                                                     \
    _Pragma("unroll") for (__u32 i = 0; i < 5; i++) {                                \
      __u32 key = ctx[i] % 64;                                                       \
      __u64 value = ctx[i];                                                          \
                                                                                     \
      bpf_map_update_elem(&map, &key, &value, BPF_ANY);                              \
    }                                                                                \
    given[2 * at] = bpf_for_each_map_elem(&map, step, &walk, 0);                     \
    walks[2 * at] = walk;                                                            \
    given[2 * at + 1] = bpf_for_each_map_elem(&map, first, &walk, 0);                \
    walks[2 * at + 1].steps = walk.steps;                                            \
  } while (0)

SEC("syscall")
int walk_all(__u32 *ctx)
{
  WALK(hash, 0);
  WALK(array, 1);
  WALK(percpu_hash, 2);
  WALK(percpu_array, 3);
  WALK(lru_hash, 4);
  WALK(lru_percpu_hash, 5);
  given[12] = bpf_for_each_map_elem(&hash, remove, 0, 0);
  given[13] = bpf_for_each_map_elem(&hash, remove, 0, 1);
  return 0;
}
