/* Every helper of the probe_read family, on memory that is there, at its end, and on addresses where nothing is. */
#include "packet.h"

char source[24] = "text that is cut off";
char target[16];
long answers[24];
__u32 sums[24];

static __always_inline void note(int at, long answer)
{
  __u32 sum = 0;

  answers[at] = answer;
  for (int i = 0; i < 16; i++)
    sum = sum * 31 + (unsigned char)target[i];
  sums[at] = sum;
}

SEC("raw_tp/sys_enter")
int probe(void *ctx)
{
  const void *nowhere = (const void *)8;
  char on_stack[12] = "on my stack";

  note(0, bpf_probe_read_kernel(target, 16, source));
  note(1, bpf_probe_read_kernel(target, 0, source));
  note(2, bpf_probe_read_kernel(target, 12, on_stack));
  note(3, bpf_probe_read_kernel(target, 16, nowhere));
  note(4, bpf_probe_read_kernel_str(target, 16, source));
  note(5, bpf_probe_read_kernel_str(target, 16, source + 15));
  note(6, bpf_probe_read_kernel_str(target, 1, source));
  note(7, bpf_probe_read_kernel_str(target, 16, nowhere));
  note(8, bpf_probe_read_kernel_str(target, 16, source + 20));
  note(9, bpf_probe_read_user(target, 8, nowhere));
  note(10, bpf_probe_read_user_str(target, 8, nowhere));
  note(11, bpf_probe_read(target, 8, source));
  note(12, bpf_probe_read(target, 8, nowhere));
  note(13, bpf_probe_read_str(target, 8, source));
  note(14, bpf_probe_read_str(target, 8, nowhere));
  note(15, bpf_strncmp(source, 4, "text"));
  note(16, bpf_strncmp(source, 5, "texts"));
  note(17, bpf_strncmp(source, 24, "text that is cut"));
  return 0;
}
