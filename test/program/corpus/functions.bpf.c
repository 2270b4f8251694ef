/* Functions: static, global, with pointers, and five arguments. */
#include "packet.h"

struct pair { __u32 a, b; };

static __noinline __u64 five(__u64 a, __u64 b, __u64 c, __u64 d, __u64 e)
{
  return a + 2 * b + 3 * c + 4 * d + 5 * e;
}

__noinline int of_pair(struct pair *pair)
{
  return pair ? pair->a * pair->b : -1;
}

__noinline __u32 fib(__u32 n)
{
  __u32 a = 0, b = 1;

  for (int i = 0; i < 32; i++) {
    __u32 c = a + b;

    if (i >= (n & 31))
      break;
    a = b;
    b = c;
  }
  return a;
}

static __noinline void swap(struct pair *pair)
{
  __u32 a = pair->a;

  pair->a = pair->b;
  pair->b = a + 1;
}

__u64 result[4];

SEC("syscall")
int call(__u32 *ctx)
{
  struct pair pair = { ctx[0], ctx[1] };

  swap(&pair);
  result[0] = five(ctx[0], ctx[1], pair.a, pair.b, 9);
  result[1] = of_pair(&pair);
  result[2] = fib(ctx[0]);
  result[3] = pair.b;
  return result[2];
}
