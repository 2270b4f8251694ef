/* Timers in the values of maps: what their helpers answer, and what they do when they run out. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum { REALTIME = 0, MONOTONIC = 1, TAI = 11 };

struct slot {
  __u64 fired;
  struct bpf_timer timer;
  __u32 key;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, struct slot);
  __uint(max_entries, 8);
} hash SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __type(key, __u32);
  __type(value, struct slot);
  __uint(max_entries, 64);
} lru SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct slot);
  __uint(max_entries, 4);
} array SEC(".maps");

/* What to do, and what came of it. */
struct request {
  __u32 key;
  __u32 flags;
  __u64 nanoseconds;
  __u32 times; /* how often the callback starts its timer again */
  __u32 deletes;
};

long answers[20];
long in_callback[2];
__u64 fired;
__u32 last_key, again;

static int ran_out(void *map, __u32 *key, struct slot *slot)
{
  slot->fired++;
  slot->key = *key;
  last_key = *key;
  in_callback[0] = bpf_timer_cancel(&slot->timer);
  if (again) {
    again--;
    in_callback[1] = bpf_timer_start(&slot->timer, 1000000, 0);
  }
  __sync_fetch_and_add(&fired, 1);
  return 0;
}

static int deletes_itself(void *map, __u32 *key, struct slot *slot)
{
  in_callback[0] = bpf_map_delete_elem(&hash, key);
  in_callback[1] = bpf_timer_start(&slot->timer, 1000000, 0);
  __sync_fetch_and_add(&fired, 1);
  return 0;
}

SEC("syscall")
int facts(struct request *request)
{
  __u32 key = 2;
  struct slot *slot = bpf_map_lookup_elem(&array, &key);
  const __u64 hour = 3600000000000;

  if (!slot)
    return 1;
  answers[0] = bpf_timer_start(&slot->timer, 0, 0);
  answers[1] = bpf_timer_cancel(&slot->timer);
  answers[2] = bpf_timer_set_callback(&slot->timer, ran_out);
  answers[3] = bpf_timer_init(&slot->timer, &array, 2);
  answers[4] = bpf_timer_init(&slot->timer, &array, TAI);
  answers[5] = bpf_timer_init(&slot->timer, &array, 16 | MONOTONIC);
  answers[6] = bpf_timer_init(&slot->timer, &array, 1ull << 32 | MONOTONIC);
  answers[7] = bpf_timer_init(&slot->timer, &array, REALTIME);
  answers[8] = bpf_timer_init(&slot->timer, &array, MONOTONIC);
  answers[9] = bpf_timer_start(&slot->timer, 0, 0);
  answers[10] = bpf_timer_set_callback(&slot->timer, ran_out);
  answers[11] = bpf_timer_set_callback(&slot->timer, ran_out);
  answers[12] = bpf_timer_start(&slot->timer, hour, 4);
  answers[13] = bpf_timer_cancel(&slot->timer);
  answers[14] = bpf_timer_start(&slot->timer, hour, 0);
  answers[15] = bpf_timer_set_callback(&slot->timer, ran_out);
  answers[16] = bpf_timer_start(&slot->timer, hour, 2);
  answers[17] = bpf_timer_start(&slot->timer, hour, 0);
  answers[18] = bpf_timer_cancel(&slot->timer);
  answers[19] = bpf_timer_cancel(&slot->timer);
  return 0;
}

#define START(map, callback)                                                         \
  ({                                                                                 \
    __u64 when = request->nanoseconds;                                               \
                                                                                     \
    if (request->flags & 1)                                                          \
      when += bpf_ktime_get_ns();                                                    \
    again = request->times;                                                          \
    answers[0] = bpf_timer_init(&slot->timer, map, MONOTONIC);                       \
    answers[1] = bpf_timer_set_callback(&slot->timer, callback);                     \
    answers[2] = bpf_timer_start(&slot->timer, when, request->flags);                \
  })

SEC("syscall")
int start_in_hash(struct request *request)
{
  struct slot new = {}, *slot;
  __u32 key = request->key;

  bpf_map_update_elem(&hash, &key, &new, BPF_NOEXIST);
  slot = bpf_map_lookup_elem(&hash, &key);
  if (!slot)
    return 1;
  if (request->deletes)
    START(&hash, deletes_itself);
  else
    START(&hash, ran_out);
  return 0;
}

SEC("syscall")
int start_in_lru(struct request *request)
{
  struct slot new = {}, *slot;
  __u32 key = request->key;

  bpf_map_update_elem(&lru, &key, &new, BPF_NOEXIST);
  slot = bpf_map_lookup_elem(&lru, &key);
  if (!slot)
    return 1;
  START(&lru, ran_out);
  return 0;
}

SEC("syscall")
int start_in_array(struct request *request)
{
  __u32 key = request->key;
  struct slot *slot = bpf_map_lookup_elem(&array, &key);

  if (!slot)
    return 1;
  START(&array, ran_out);
  return 0;
}

SEC("syscall")
int cancel_in_hash(struct request *request)
{
  __u32 key = request->key;
  struct slot *slot = bpf_map_lookup_elem(&hash, &key);

  if (!slot)
    return 1;
  answers[0] = bpf_timer_cancel(&slot->timer);
  return 0;
}

SEC("syscall")
int overwrite_in_hash(struct request *request)
{
  struct slot new = {};
  __u32 key = request->key;

  answers[0] = bpf_map_update_elem(&hash, &key, &new, BPF_EXIST);
  return 0;
}

char _license[] SEC("license") = "GPL";
