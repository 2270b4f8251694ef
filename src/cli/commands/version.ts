import { VERSION } from "../package-version.ts";
import type { Session } from "../session.ts";
import type { Words } from "../words.ts";

/** `version`: of mapiary, and of the bpftool whose grammar it speaks. */
export function version(_words: Words, { output }: Session): Promise<number> {
  if (output.isJson)
    output.json.value({ version: VERSION, node: process.versions.node, kernels: ["embedded", "linux"] });
  else output.text(`mapiary v${VERSION}\nusing Node ${process.versions.node}\n`);
  return Promise.resolve(0);
}
