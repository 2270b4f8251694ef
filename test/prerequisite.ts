import { spawnSync } from "node:child_process";

/**
 * Why tests that need a program of the system are to be skipped: it is not there. False when it is, and when CI is true,
 * where what is missing is a failure.
 */
export function withoutProgram(name: string, ...args: readonly string[]): string | false {
  const isThere = spawnSync(name, args, { stdio: "ignore" }).status === 0;
  return isThere || process.env["CI"] === "true" ? false : `${name} is not installed`;
}
