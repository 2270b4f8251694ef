import {
  type ArrayMap,
  Assembler,
  type Bpf,
  type BpfProgram,
  bytes,
  type RingBuf,
  struct,
  u64,
  type Value,
} from "mapiary";

/** A record of 64 bytes: the number that it is, and as many more. */
export const EVENT_SIZE = 64;
export const event = struct({ number: u64, twice: u64, rest: bytes(EVENT_SIZE - 16) });

/** Counts the records that were written, and tries that found no room; says how many shall be, and the flags of the next. */
const control = struct({ written: u64, refused: u64, limit: u64, flags: u64 });
const NO_LIMIT = 2n ** 63n;

/** A program that writes a numbered record into a ring buffer each time that it runs. */
export interface EventProgram {
  readonly program: BpfProgram;
  readonly control: ArrayMap<number, Value<typeof control>>;
  /** Runs it so often. */
  run(times: number): void;
}

const PACKET = new Uint8Array(64);

/** Loads the program for a ring buffer of `bpf`. */
export function loadEventProgram(bpf: Bpf, ring: RingBuf<unknown>): EventProgram {
  const map = bpf.createMap({ type: "array", name: "control", value: control, maxEntries: 1, flags: ["mmapable"] });
  map.at(0).limit = NO_LIMIT;
  const asm = new Assembler();
  asm.loadMapValue("r6", map);
  for (let at = -EVENT_SIZE; at < 0; at += 8) asm.store("u64", "r10", at, 0);
  asm
    .load("u64", "r7", "r6", 0)
    .load("u64", "r8", "r6", 16)
    .jge("r7", "r8", "done")
    .store("u64", "r10", -EVENT_SIZE, "r7")
    .add("r7", "r7")
    .store("u64", "r10", -EVENT_SIZE + 8, "r7")
    .loadMap("r1", ring)
    .mov("r2", "r10")
    .add("r2", -EVENT_SIZE)
    .mov("r3", EVENT_SIZE)
    .load("u64", "r4", "r6", 24)
    .call("bpf_ringbuf_output")
    .jne("r0", 0, "refused")
    .load("u64", "r7", "r6", 0)
    .add("r7", 1)
    .store("u64", "r6", 0, "r7")
    .mov("r0", 0)
    .exit()
    .label("refused")
    .load("u64", "r7", "r6", 8)
    .add("r7", 1)
    .store("u64", "r6", 8, "r7")
    .label("done")
    .mov("r0", 0)
    .exit();
  const program = bpf.loadProgram({ type: "xdp", name: "events", instructions: asm.assemble() });
  return {
    program,
    control: map,
    run: (times) => void program.run({ data: PACKET, repeat: times }),
  };
}
