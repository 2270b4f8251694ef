/** One map type on one kernel: `type-process <linux | embedded> <cpus> <type> <entries> <seed>`. What it answers: `serve.ts`. */
import { embedded } from "mapiary";
import { MEASURED_TYPES } from "./map-types/measured-types.ts";
import { useOtherTypes } from "./map-types/other-types.ts";
import { TYPE_MEASURES } from "./map-types/type-measures.ts";
import { TypeWorkload } from "./map-types/type-workload.ts";
import { serve } from "./serve.ts";

const [kernel, cpus, name = "", entries, seed] = process.argv.slice(2);

await serve(TYPE_MEASURES, async () => {
  const type = MEASURED_TYPES[name];
  if (type === undefined) throw new Error(`there is no measured type ${name}`);
  const bpf = kernel === "linux" ? (await import("mapiary/linux")).linux() : embedded({ possibleCpus: Number(cpus) });
  useOtherTypes(bpf, name);
  return new TypeWorkload(type.make(bpf, Number(entries), Number(seed)));
});
