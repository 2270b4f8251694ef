/* Text: comparing, reading numbers, writing it. */
#include "packet.h"

const char wanted[] = "hello";
char line[64];
__s64 numbers[4];

SEC("syscall")
int text(__u32 *ctx)
{
  char given[8] = { 'h', 'e', 'l', 'l', 'o', 0 };
  char number[8] = "-1234";
  static const char format[] = "n=%d x=%x s=%s";
  __u64 args[3] = { ctx[0], ctx[1], (long)wanted };
  long parsed = 0;
  unsigned long positive = 0;

  given[4] = 'a' + ctx[0] % 26;
  numbers[0] = bpf_strncmp(given, 6, wanted) == 0;
  numbers[1] = bpf_strtol(number, 5, 10, &parsed);
  numbers[2] = parsed + (bpf_strtoul(number + 1, 4, 16, &positive), positive);
  numbers[3] = bpf_snprintf(line, sizeof(line), format, args, sizeof(args));
  return numbers[3];
}
