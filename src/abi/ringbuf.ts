/**
 * The records of ring buffers: `struct bpf_ringbuf_hdr` and the flags around it, `include/uapi/linux/bpf.h`, Linux 6.18.
 */

/** Offsets in the header of a record, whose data follows. */
export const RINGBUF_HDR = {
  /** The bytes of data, with the two bits below. */
  LEN: 0,
  /** Pages from the ring buffer's own first one to the header's, with which a record is found its ring buffer. */
  PG_OFF: 4,
  SIZE: 8,
} as const;

/** In the length of a record: it is being written; it is to be skipped. */
export const BPF_RINGBUF_BUSY_BIT = 0x8000_0000;
export const BPF_RINGBUF_DISCARD_BIT = 0x4000_0000;

/** The length of a record without its bits. */
export const RINGBUF_LEN_MASK = 0x3fff_ffff;

// Flags of `bpf_ringbuf_submit`, `_discard` and `_output`, and of `bpf_user_ringbuf_drain`.
export const BPF_RB_NO_WAKEUP = 1;
export const BPF_RB_FORCE_WAKEUP = 2;

// What `bpf_ringbuf_query` is asked for.
export const BPF_RB_AVAIL_DATA = 0;
export const BPF_RB_RING_SIZE = 1;
export const BPF_RB_CONS_POS = 2;
export const BPF_RB_PROD_POS = 3;

/** The pages of the two positions, from the beginning of what can be mapped; the data follows, twice in a row. */
export const RINGBUF_PAGES = { CONSUMER: 0, PRODUCER: 1, DATA: 2 } as const;

/** The bytes that a record takes in the ring: header and data, rounded up to 8. */
export function ringbufRecordSize(length: number): number {
  return (length + RINGBUF_HDR.SIZE + 7) & ~7;
}
