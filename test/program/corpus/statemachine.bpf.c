/* The states of a TCP connection, by flags. */
#include "packet.h"

enum state { CLOSED, SYN_SENT, ESTABLISHED, CLOSING };

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, enum state);
  __uint(max_entries, 64);
} states SEC(".maps");

SEC("xdp")
int follow(struct xdp_md *ctx)
{
  struct ethhdr *eth = (void *)(long)ctx->data;
  struct iphdr *ip = (void *)(eth + 1);
  struct tcphdr *tcp = (void *)(ip + 1);
  enum state next, *state;
  __u32 key;

  if ((void *)(tcp + 1) > (void *)(long)ctx->data_end || ip->protocol != IPPROTO_TCP)
    return XDP_PASS;
  key = ip->saddr ^ ip->daddr ^ tcp->source ^ ((__u32)tcp->dest << 16);
  state = bpf_map_lookup_elem(&states, &key);
  next = state ? *state : CLOSED;
  switch (next) {
  case CLOSED: if (tcp->syn) next = SYN_SENT; break;
  case SYN_SENT: if (tcp->ack) next = ESTABLISHED; break;
  case ESTABLISHED: if (tcp->fin || tcp->rst) next = CLOSING; break;
  default: next = CLOSED;
  }
  bpf_map_update_elem(&states, &key, &next, BPF_ANY);
  return next;
}
