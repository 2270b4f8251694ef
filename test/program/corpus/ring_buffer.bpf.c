/* Events for user space. */
#include "packet.h"

struct event { __u32 length; __u32 number; char start[8]; };

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

__u32 number, lost;
__u64 available;

SEC("xdp")
int report(struct xdp_md *ctx)
{
  char *data = (void *)(long)ctx->data;
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

  if (!event) {
    lost++;
    return XDP_DROP;
  }
  event->length = ctx->data_end - ctx->data;
  event->number = number++;
  if ((void *)(data + 8) > (void *)(long)ctx->data_end) {
    bpf_ringbuf_discard(event, 0);
    return XDP_ABORTED;
  }
  __builtin_memcpy(event->start, data, 8);
  bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
  bpf_ringbuf_output(&events, &number, sizeof(number), 0);
  available = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
  return XDP_PASS;
}
