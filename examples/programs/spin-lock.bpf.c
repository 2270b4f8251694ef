/* bpf_spin_lock and bpf_spin_unlock: several fields of a value change together. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct traffic {
  __u64 packets;
  __u64 bytes;
  struct bpf_spin_lock lock;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct traffic);
  __uint(max_entries, 1);
} traffic SEC(".maps");

SEC("tc")
int account(struct __sk_buff *skb)
{
  __u32 key = 0, length = skb->len;
  struct traffic *seen = bpf_map_lookup_elem(&traffic, &key);

  if (!seen)
    return 0;
  bpf_spin_lock(&seen->lock);
  seen->packets += 1;
  seen->bytes += length;
  bpf_spin_unlock(&seen->lock);
  return 0;
}

char _license[] SEC("license") = "GPL";
