/* bpf_timer_init, bpf_timer_set_callback and bpf_timer_start: an entry that is not seen for a while goes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define CLOCK_MONOTONIC 1

struct flow {
  __u64 packets;
  struct bpf_timer idle;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, struct flow);
  __uint(max_entries, 1024);
} flows SEC(".maps");

const volatile __u64 idle_ns = 30000000000;
__u64 expired;

static int expire(void *map, __u32 *length, struct flow *flow)
{
  __sync_fetch_and_add(&expired, 1);
  bpf_map_delete_elem(&flows, length);
  return 0;
}

SEC("tc")
int see(struct __sk_buff *skb)
{
  __u32 length = skb->len;
  struct flow *flow = bpf_map_lookup_elem(&flows, &length);

  if (!flow) {
    struct flow new = {};

    bpf_map_update_elem(&flows, &length, &new, BPF_NOEXIST);
    flow = bpf_map_lookup_elem(&flows, &length);
    if (!flow)
      return 0;
    bpf_timer_init(&flow->idle, &flows, CLOCK_MONOTONIC);
    bpf_timer_set_callback(&flow->idle, expire);
  }
  __sync_fetch_and_add(&flow->packets, 1);
  bpf_timer_start(&flow->idle, idle_ns, 0); /* anew with each packet */
  return 0;
}

char _license[] SEC("license") = "GPL";
