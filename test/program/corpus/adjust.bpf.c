/* Puts a header before the packet, and takes bytes from its end. */
#include "packet.h"

SEC("xdp")
int encapsulate(struct xdp_md *ctx)
{
  __u32 length = ctx->data_end - ctx->data;
  unsigned char *data;

  if (bpf_xdp_adjust_head(ctx, -8))
    return XDP_ABORTED;
  data = (void *)(long)ctx->data;
  if (data + 8 > (unsigned char *)(long)ctx->data_end)
    return XDP_ABORTED;
  data[0] = 0xaa;
  data[1] = length;
  data[2] = length >> 8;
  __builtin_memset(data + 3, 0x55, 5);
  return XDP_TX;
}

SEC("xdp")
int strip(struct xdp_md *ctx)
{
  if (bpf_xdp_adjust_head(ctx, 14))
    return XDP_DROP;
  if (bpf_xdp_adjust_tail(ctx, -2))
    return XDP_ABORTED;
  return XDP_PASS;
}
