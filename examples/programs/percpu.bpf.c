/* bpf_map_lookup_percpu_elem: the value that another CPU has. bpf_map_lookup_elem gives that of one's own. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1);
} packets SEC(".maps");

const volatile __u32 cpus = 1;
__u64 sum;

SEC("xdp")
int count(struct xdp_md *ctx)
{
  __u32 key = 0;
  __u64 *value = bpf_map_lookup_elem(&packets, &key);

  if (!value)
    return XDP_ABORTED;
  *value += 1; /* nobody else writes it */
  return XDP_PASS;
}

SEC("syscall")
int add_up(void *ctx)
{
  __u32 key = 0, cpu;

  sum = 0;
  for (cpu = 0; cpu < cpus && cpu < 1024; cpu++) {
    __u64 *value = bpf_map_lookup_percpu_elem(&packets, &key, cpu);

    if (value)
      sum += *value;
  }
  return 0;
}

char _license[] SEC("license") = "GPL";
