/* The CRC of the first bytes of a packet. */
#include "packet.h"

__u32 crc;

SEC("xdp")
int digest(struct xdp_md *ctx)
{
  __u8 *data = (void *)(long)ctx->data;
  __u32 value = ~0u;

  if ((void *)(data + 4) > (void *)(long)ctx->data_end)
    return XDP_DROP;
  for (int i = 0; i < 4; i++) {
    value ^= data[i];
#pragma clang loop unroll(full)
    for (int bit = 0; bit < 8; bit++)
      value = (value >> 1) ^ (0xedb88320 * (value & 1));
  }
  crc = ~value;
  return crc & 3;
}
