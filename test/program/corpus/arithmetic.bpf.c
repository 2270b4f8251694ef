/* Arithmetic of every width, on numbers that are awkward. */
#include "packet.h"

__u64 out[24];

SEC("syscall")
int compute(__u64 *ctx)
{
  __u64 a = ctx[0], b = ctx[1];
  __u32 c = a, d = b;
  __s64 e = a;
  __s32 f = d;
  __u16 g = a;
  __s8 h = b;

  out[0] = a + b; out[1] = a - b; out[2] = a * b;
  out[3] = b ? a / b : 0; out[4] = b ? a % b : 0;
  out[5] = a << (b & 63); out[6] = a >> (b & 63); out[7] = e >> (b & 63);
  out[8] = c + d; out[9] = c - d; out[10] = c * d;
  out[11] = d ? c / d : 0; out[12] = d ? c % d : 0;
  out[13] = c << (d & 31); out[14] = c >> (d & 31); out[15] = f >> (c & 31);
  out[16] = g; out[17] = (__s64)h; out[18] = ~a; out[19] = -a;
  out[20] = e < (__s64)b; out[21] = f < (__s32)c; out[22] = a < b; out[23] = __builtin_bswap32(c) ^ __builtin_bswap16(g);
  return out[0] ^ out[9];
}
