/*
 * The ring buffer: bpf_ringbuf_reserve with bpf_ringbuf_submit or bpf_ringbuf_discard, bpf_ringbuf_output, bpf_ringbuf_query,
 * and a record of any length by bpf_ringbuf_reserve_dynptr.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
  __u32 length;
  char how[12];
};

/* clang keeps the types that a global refers to: user space reads records by this one. */
struct event *unused __attribute__((unused));

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} events SEC(".maps");

__u64 waiting;

SEC("xdp")
int reserve(struct xdp_md *ctx)
{
  struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

  if (!event)
    return XDP_ABORTED;
  event->length = ctx->data_end - ctx->data;
  __builtin_memcpy(event->how, "reserved", 9);
  if (event->length > 1500) {
    bpf_ringbuf_discard(event, 0);
    return XDP_DROP;
  }
  bpf_ringbuf_submit(event, 0);
  return XDP_PASS;
}

SEC("xdp")
int output(struct xdp_md *ctx)
{
  struct event event = { .length = ctx->data_end - ctx->data, .how = "copied" };

  if (bpf_ringbuf_output(&events, &event, sizeof(event), 0))
    return XDP_ABORTED;
  waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
  return XDP_PASS;
}

SEC("xdp")
int dynamic(struct xdp_md *ctx)
{
  struct event event = { .length = ctx->data_end - ctx->data, .how = "dynptr" };
  struct bpf_dynptr record;

  if (bpf_ringbuf_reserve_dynptr(&events, sizeof(event) + event.length % 64, 0, &record) ||
      bpf_dynptr_write(&record, 0, &event, sizeof(event), 0)) {
    bpf_ringbuf_discard_dynptr(&record, 0);
    return XDP_ABORTED;
  }
  bpf_ringbuf_submit_dynptr(&record, 0);
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
