/* Dynptrs over memory and over records: what is read, written and given, within them, at their ends and beyond. */
#include "packet.h"

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} records SEC(".maps");

char memory[32] = "0123456789abcdefghijklmnopqrstu";
char copied[8];
long answers[24];

SEC("xdp")
int over_memory(struct xdp_md *ctx)
{
  struct bpf_dynptr whole, part;
  char *at;

  answers[0] = bpf_dynptr_from_mem(memory, sizeof(memory), 0, &whole);
  answers[1] = bpf_dynptr_from_mem(memory, 8, 1, &part);
  answers[2] = bpf_dynptr_read(copied, 8, &whole, 10, 0);
  answers[3] = bpf_dynptr_read(copied, 8, &whole, 24, 0);
  answers[4] = bpf_dynptr_read(copied, 8, &whole, 25, 0);
  answers[5] = bpf_dynptr_read(copied, 8, &whole, 0xffffffff, 0);
  answers[6] = bpf_dynptr_read(copied, 0, &whole, 32, 0);
  answers[7] = bpf_dynptr_read(copied, 4, &whole, 0, 1);
  answers[8] = bpf_dynptr_write(&whole, 4, "WXYZ", 4, 0);
  answers[9] = bpf_dynptr_write(&whole, 30, "WXYZ", 4, 0);
  answers[10] = bpf_dynptr_write(&whole, 0, "WXYZ", 4, 1);
  answers[11] = bpf_dynptr_read(copied, 1, &part, 0, 0);
  at = bpf_dynptr_data(&whole, 16, 16);
  if (at)
    at[15] = '!';
  answers[12] = at != 0;
  answers[13] = bpf_dynptr_data(&whole, 17, 16) != 0;
  answers[14] = bpf_dynptr_data(&part, 0, 1) != 0;
  return XDP_PASS;
}

SEC("xdp")
int over_records(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data;
  struct bpf_dynptr record, refused;

  answers[16] = bpf_ringbuf_reserve_dynptr(&records, 16, 0, &record);
  answers[17] = bpf_dynptr_write(&record, 8, &length, sizeof(length), 0);
  answers[18] = bpf_dynptr_write(&record, 13, &length, sizeof(length), 0);
  answers[19] = bpf_ringbuf_reserve_dynptr(&records, 1 << 20, 0, &refused);
  answers[20] = bpf_dynptr_write(&refused, 0, &length, sizeof(length), 0);
  answers[21] = bpf_dynptr_data(&refused, 0, 4) != 0;
  bpf_ringbuf_discard_dynptr(&refused, 0);
  if (length % 2)
    bpf_ringbuf_submit_dynptr(&record, BPF_RB_NO_WAKEUP);
  else
    bpf_ringbuf_discard_dynptr(&record, 0);
  answers[22] = bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA);
  return XDP_PASS;
}
