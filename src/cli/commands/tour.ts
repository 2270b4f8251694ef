import { kernelName } from "../cli-kernel.ts";
import type { Session } from "../session.ts";
import { takeTour } from "../tour.ts";
import type { Words } from "../words.ts";

/** `tour`: the commands of `bpf(2)` on maps, on both kernels; with `--kernel embedded` on that one alone. */
export function tour(words: Words, { options, output, world }: Session): Promise<number> {
  words.requireEnd();
  const asksLinux = options.kernel === undefined || kernelName(options.kernel) === "linux";
  return Promise.resolve(takeTour(asksLinux, output.results, { ...world.env }));
}
