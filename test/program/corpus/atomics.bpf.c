/* needs v3 */
/* Atomics that answer what was there. */
#include "packet.h"

__u64 wide = 5;
__u32 narrow = 7;
__u64 seen[8];

SEC("syscall")
int mix(__u32 *ctx)
{
  __u32 n = ctx[0];

  seen[0] = __sync_fetch_and_add(&wide, n);
  seen[1] = __sync_fetch_and_or(&wide, 0x100);
  seen[2] = __sync_fetch_and_and(&wide, 0xffff);
  seen[3] = __sync_fetch_and_xor(&wide, n);
  seen[4] = __sync_lock_test_and_set(&narrow, n + 1);
  seen[5] = __sync_val_compare_and_swap(&narrow, n + 1, 99);
  seen[6] = __sync_val_compare_and_swap(&wide, n, 1);
  seen[7] = __sync_fetch_and_add(&narrow, -3);
  return seen[7];
}
