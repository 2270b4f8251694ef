/** Adds to the two integers of a pinned array 300,000 times, as soon as it is told to. */
import { struct, u32, u64 } from "mapiary";
import { linux } from "mapiary/linux";

const bpf = linux();
const value = struct({ hits: u64, errors: u32 });
const map = bpf.openMap(process.argv[2] ?? "", { type: "array", value });
const { hits, errors } = map.atomic(0);
process.once("message", () => {
  for (let i = 0; i < 300_000; i++) {
    hits.add(1n);
    errors.add(1);
  }
  bpf.close();
  process.disconnect();
});
process.send?.("ready");
