/** Loads ten programs of 1,000 instructions on the embedded kernel, and prints how long the first and the tenth took. */
import { Assembler, embedded, type HashMap, type Instruction, u32, u64 } from "mapiary";
import { cpuTime } from "../cpu-time.ts";

const PROGRAMS = 10;
/** Of 31 instructions each; 8 more are around them. */
const PARTS = 32;
const KEY = -4;
const VALUE = -16;
/** Bytes of the packet that are proven to be there. */
const PACKET = 64;

/**
 * What programs on packets do most: a field of the packet is the key of a counter, which is counted up or made, and other
 * fields decide what comes of it.
 */
function countingProgram(map: HashMap<number, number>, first: number): Instruction[] {
  const program = new Assembler()
    .load("u32", "r7", "r1", 0)
    .load("u32", "r8", "r1", 4)
    .mov("r9", first)
    .mov("r1", "r7")
    .add("r1", PACKET)
    .jgt("r1", "r8", "short");
  for (let part = 0; part < PARTS; part++) {
    const field = (part * 4) % (PACKET - 4);
    program
      .load("u32", "r1", "r7", field)
      .and("r1", 0xff)
      .store("u32", "r10", KEY, "r1")
      .store("u64", "r10", VALUE, "r9")
      .mov("r2", "r10")
      .add("r2", KEY)
      .loadMap("r1", map)
      .call("bpf_map_lookup_elem")
      .jeq("r0", 0, `missing ${part}`)
      .load("u64", "r1", "r0", 0)
      .add("r1", 1)
      .store("u64", "r0", 0, "r1")
      .add("r9", "r1")
      .jump(`counted ${part}`)
      .label(`missing ${part}`)
      .mov("r2", "r10")
      .add("r2", KEY)
      .mov("r3", "r10")
      .add("r3", VALUE)
      .loadMap("r1", map)
      .mov("r4", 0)
      .call("bpf_map_update_elem")
      .label(`counted ${part}`)
      .load("u8", "r1", "r7", field + 1)
      .jgt("r1", 32, `large ${part}`)
      .lsh("r1", 1)
      .add("r9", "r1")
      .label(`large ${part}`)
      .load("u16", "r2", "r7", field)
      .jne("r2", part, `other ${part}`)
      .add("r9", 3)
      .xor("r9", "r2")
      .label(`other ${part}`);
  }
  return program.label("short").mov("r0", 2).exit().assemble();
}

const bpf = embedded();
const map = bpf.createMap({ type: "hash", name: "counters", key: u32, value: u64.number, maxEntries: 1024 });
const programs = Array.from({ length: PROGRAMS }, (_, first) => countingProgram(map, first));
const times = programs.map((insns) => {
  const [start, clock] = [cpuTime(), performance.now()];
  const fd = bpf.sys.progLoad({ type: "xdp", license: "GPL", insns });
  const elapsed = performance.now() - clock;
  const worked = (cpuTime() - start) / 1e6;
  if (fd < 0) throw new Error(`a program of ${insns.length} instructions was refused: ${fd}`);
  return { worked, elapsed };
});
console.log(JSON.stringify({ instructions: programs[0]?.length, first: times[0], tenth: times.at(-1) }));
