/* Maps as they were described before BTF. */
#include "packet.h"

struct bpf_map_def {
  unsigned int type, key_size, value_size, max_entries, map_flags;
};

struct bpf_map_def SEC("maps") old_hash = { BPF_MAP_TYPE_HASH, 4, 8, 16, 0 };
struct bpf_map_def SEC("maps") old_array = { BPF_MAP_TYPE_ARRAY, 4, 4, 2, 0 };

SEC("xdp")
int count(struct xdp_md *ctx)
{
  __u32 key = ctx->data_end - ctx->data, one = 1, *slot;
  __u64 wide = key;

  bpf_map_update_elem(&old_hash, &key, &wide, BPF_ANY);
  slot = bpf_map_lookup_elem(&old_array, &one);
  if (slot)
    *slot += key;
  return XDP_PASS;
}
