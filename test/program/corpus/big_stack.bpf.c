/* Nearly all of the stack, in two functions. */
#include "packet.h"

static __noinline __u64 fold(__u64 *words, __u32 count)
{
  __u64 copy[16], sum = 0;

  for (int i = 0; i < 16; i++)
    copy[i] = words[i] * (i + 1);
  for (int i = 0; i < 16; i++)
    sum = sum * 31 + copy[(i * 7) & 15];
  return sum + count;
}

__u64 result;

SEC("syscall")
int fill(__u32 *ctx)
{
  __u32 odd = ctx[1], even = ctx[2];
  __u64 words[28];

  for (int i = 0; i < 28; i++)
    words[i] = (i & 1 ? odd : even) * i;
  result = fold(words + 8, ctx[0]) ^ words[27];
  return result;
}
