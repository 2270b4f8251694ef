/* Bitfields and unions in map values. */
#include "packet.h"

struct word {
  __u32 low : 3, middle : 11, high : 18;
  union { __u64 all; struct { __u16 a, b; __u32 c; } parts; };
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct word);
  __uint(max_entries, 1);
} words SEC(".maps");

SEC("syscall")
int pack(__u32 *ctx)
{
  __u32 zero = 0;
  struct word *word = bpf_map_lookup_elem(&words, &zero);

  if (!word)
    return 1;
  word->low += ctx[0];
  word->middle ^= ctx[1];
  word->high -= ctx[0] & 0xff;
  word->parts.b += word->middle;
  word->all += 0x100000001ULL * word->low;
  return word->high;
}
