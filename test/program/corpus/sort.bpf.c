/* Sorts eight numbers of the context in a map value. */
#include "packet.h"

struct numbers { __s32 n[8]; };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct numbers);
  __uint(max_entries, 1);
} sorted SEC(".maps");

SEC("syscall")
int sort(__s32 *ctx)
{
  __u32 zero = 0;
  struct numbers *numbers = bpf_map_lookup_elem(&sorted, &zero);

  if (!numbers)
    return -1;
#define SPREAD(i) numbers->n[i] = (__s32)((__u32)ctx[i] * 37 % 101) - 50
  SPREAD(0); SPREAD(1); SPREAD(2); SPREAD(3);
  SPREAD(4); SPREAD(5); SPREAD(6); SPREAD(7);
  for (int i = 0; i < 7; i++)
    for (int j = 0; j < 7 - i; j++)
      if (numbers->n[j] > numbers->n[j + 1]) {
        __s32 other = numbers->n[j];

        numbers->n[j] = numbers->n[j + 1];
        numbers->n[j + 1] = other;
      }
  return numbers->n[0];
}
