/* Multiplies small matrices that lie in maps. */
#include "packet.h"

struct matrix { __s32 cells[4][4]; };

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct matrix);
  __uint(max_entries, 3);
} matrices SEC(".maps");

SEC("syscall")
int multiply(__u32 *ctx)
{
  __u32 keys[3] = { 0, 1, 2 };
  struct matrix *a = bpf_map_lookup_elem(&matrices, &keys[0]);
  struct matrix *b = bpf_map_lookup_elem(&matrices, &keys[1]);
  struct matrix *c = bpf_map_lookup_elem(&matrices, &keys[2]);

  if (!a || !b || !c)
    return 1;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      a->cells[i][j] += ctx[0] * i - j;
      b->cells[i][j] ^= ctx[1] + i * j;
    }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      __s32 sum = 0;

      for (int k = 0; k < 4; k++)
        sum += a->cells[i][k] * b->cells[k][j];
      c->cells[i][j] = sum;
    }
  return c->cells[3][3];
}
