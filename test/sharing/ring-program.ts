import { Assembler, type Bpf, bytes, type RingBuf, struct, u64 } from "mapiary";

/** How a program brings a record into a ring buffer; `"hold"` prints a line before it submits. */
export type How = "output" | "submit" | "discard" | "hold";

const WORDS = 5;
const RECORD_BYTES = WORDS * 8;
/** The bytes that a record takes in the ring. */
export const RECORD_ROOM = RECORD_BYTES + 8;

/** A record as programs write it: five times its number, by which it shows that it is whole. */
export const record = bytes(RECORD_BYTES);

/** The number of a record, which says who wrote it too: see `loadProducer`. Throws an `Error` when it is not whole. */
export function numberOf(bytes: Uint8Array): bigint {
  const words = new BigUint64Array(bytes.slice().buffer);
  if (words.some((word) => word !== words[0])) throw new Error(`a record is torn: ${words}`);
  return words[0] as bigint;
}

/** What a program knows: the number of its next record, behind those that were acknowledged, and its flags. */
export const producerState = struct({ next: u64, flags: u64 });

/** A program that produces a record each time that it runs. */
export interface Producer {
  /** The flags of waking, for the next records. */
  flags: bigint;
  /** Produces so many records; answers how many there was room for. */
  produce(count: number): number;
  close(): void;
}

const NO_PACKET = new Uint8Array(64);

/** A program whose records are numbered from `first` on; a record for which there was no room leaves its number to the next. What it knows can be pinned. */
export function loadProducer(bpf: Bpf, ring: RingBuf<unknown>, how: How, first: bigint, pin?: string): Producer {
  const state = bpf.createMap({ type: "array", value: producerState, maxEntries: 1, flags: ["mmapable"] });
  state.at(0).next = first;
  if (pin !== undefined) state.pin(pin);
  const assembler = new Assembler().loadMapValue("r6", state).load("u64", "r7", "r6", 0);
  if (how === "output") outputRecord(assembler, ring);
  else reserveRecord(assembler, ring, how);
  const instructions = assembler
    .add("r7", 1)
    .store("u64", "r6", 0, "r7")
    .label("refused")
    .mov("r0", 0)
    .exit()
    .assemble();
  const program = bpf.loadProgram({ type: "xdp", name: "produce", license: "GPL", instructions });
  return {
    get flags() {
      return state.at(0).flags;
    },
    set flags(flags) {
      state.at(0).flags = flags;
    },
    produce(count) {
      const before = state.at(0).next;
      program.run({ data: NO_PACKET, repeat: count });
      return Number(state.at(0).next - before);
    },
    close() {
      program.close();
      state.close();
    },
  };
}

function outputRecord(assembler: Assembler, ring: RingBuf<unknown>): void {
  for (let at = -RECORD_BYTES; at < 0; at += 8) assembler.store("u64", "r10", at, "r7");
  assembler
    .loadMap("r1", ring)
    .mov("r2", "r10")
    .add("r2", -RECORD_BYTES)
    .mov("r3", RECORD_BYTES)
    .load("u64", "r4", "r6", 8)
    .call("bpf_ringbuf_output")
    .jne("r0", 0, "refused");
}

function reserveRecord(assembler: Assembler, ring: RingBuf<unknown>, how: How): void {
  assembler
    .loadMap("r1", ring)
    .mov("r2", RECORD_BYTES)
    .mov("r3", 0)
    .call("bpf_ringbuf_reserve")
    .jeq("r0", 0, "refused")
    .mov("r8", "r0");
  for (let at = 0; at < RECORD_BYTES; at += 8) assembler.store("u64", "r8", at, "r7");
  if (how === "hold") {
    assembler
      .store("u64", "r10", -8, "!".charCodeAt(0))
      .mov("r1", "r10")
      .add("r1", -8)
      .mov("r2", 2)
      .call("bpf_trace_printk");
  }
  assembler
    .mov("r1", "r8")
    .load("u64", "r2", "r6", 8)
    .call(how === "discard" ? "bpf_ringbuf_discard" : "bpf_ringbuf_submit");
}
