/* Ring buffer records of sizes that only running shows. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8192);
} records SEC(".maps");

__s32 results[4];

SEC("xdp")
int write(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data;
  struct bpf_dynptr record;
  __u64 *start;

  results[0] = bpf_ringbuf_reserve_dynptr(&records, length & 0xff, 0, &record);
  results[1] = bpf_dynptr_write(&record, 8, &length, sizeof(length), 0);
  start = bpf_dynptr_data(&record, 0, 8);
  if (start)
    *start = length;
  results[2] = start != 0;
  results[3] = bpf_dynptr_read(&length, sizeof(length), &record, 4, 0);
  bpf_ringbuf_submit_dynptr(&record, 0);
  return XDP_PASS;
}
