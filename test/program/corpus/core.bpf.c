/* Structs that are adapted to the types that are given. */
#include "packet.h"
#include <bpf/bpf_core_read.h>

struct job { int id; long priority; char name[12]; } __attribute__((preserve_access_index));
struct job___old { int id; int gone; } __attribute__((preserve_access_index));

char memory[64];
__u32 facts[4];

SEC("syscall")
int ask(__u32 *ctx)
{
  struct job *job = (void *)memory;

  job->id = ctx[0];
  job->priority = 3;
  facts[0] = bpf_core_field_exists(job->priority);
  facts[1] = bpf_core_field_exists(((struct job___old *)memory)->gone);
  facts[2] = bpf_core_type_size(struct job);
  facts[3] = bpf_core_field_size(job->name);
  return job->id + job->priority;
}
