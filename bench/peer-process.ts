/** One peer in a process of its own: `peer-process <variant> <entries> <seed>`. What it answers: `serve.ts`. */
import { MEASURE_NAMES } from "./measures.ts";
import { isSecondProcess, makePeer } from "./peers/variants.ts";
import { serve } from "./serve.ts";
import { Workload } from "./workload.ts";

const [variant = "", entries = 0, seed = 0, ...more] = process.argv.slice(2);

const isSecond = await isSecondProcess(variant, Number(entries), [`${seed}`, ...more]);
if (!isSecond) {
  await serve(MEASURE_NAMES, async () => {
    const peer = await makePeer(variant, Number(entries));
    return new Workload(peer, Number(entries), Number(seed));
  });
}
