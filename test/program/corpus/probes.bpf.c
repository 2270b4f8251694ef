/* Reads memory that it is given, by the helpers that may fail. */
#include "packet.h"

char from[16] = "some text";
char to[16];
__s32 results[3];

SEC("raw_tp/sys_enter")
int probe(struct bpf_raw_tracepoint_args *ctx)
{
  results[0] = bpf_probe_read_kernel(to, 8, from);
  results[1] = bpf_probe_read_kernel_str(to + 8, 8, from + 3);
  results[2] = ctx->args[1];
  return results[1];
}
