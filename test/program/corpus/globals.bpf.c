/* Global variables of every kind. */
#include "packet.h"

struct point { __s16 x, y; };
enum mode { OFF, ON = 5, AUTO };

const volatile __u32 limit = 10;
const volatile struct point origin = { -1, 2 };
volatile enum mode mode = AUTO;
__s64 negative = -5;
char name[16] = "mapiary";
__u8 flags[3];
_Bool happened;
static volatile __u32 hidden = 100;
__u32 custom SEC(".data.custom") = 7;
const volatile __u32 tuned SEC(".rodata.tuned") = 3;

SEC("syscall")
int use(__u32 *ctx)
{
  __u32 n = ctx[0];

  negative += origin.x * (__s32)n;
  if (n > limit)
    happened = 1;
  name[n & 7] = 'A' + n % 26;
  flags[n & 1]++;
  hidden += tuned;
  custom ^= n;
  if (mode == AUTO)
    mode = n & 1 ? ON : OFF;
  return hidden + origin.y;
}
