/**
 * The process in which the examples of the documentation run: imports the files that it is given, one after another,
 * and sends the parent how each went.
 */
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

/** How one example went. */
export interface Outcome {
  readonly path: string;
  /** What it threw; `undefined` when it ran to its end. */
  readonly error?: string;
}

for (const path of process.argv.slice(2)) {
  const outcome = await import(pathToFileURL(path).href).then(
    (): Outcome => ({ path }),
    (error: unknown): Outcome => ({ path, error: inspect(error) }),
  );
  await new Promise((sent) => process.send?.(outcome, undefined, {}, sent));
}
process.exit();
