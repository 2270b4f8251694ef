import { linux } from "mapiary/linux";
import { BUILT } from "../build.ts";
import type { Startable } from "../running-peer.ts";

/** The names of the peers. */
export const ON_LINUX = "program-linux";
export const EMBEDDED = "program-embedded";

/** Calculating programs on both kernels, with the reason where they cannot be measured. */
export function programRoster(): Startable[] {
  const noLinux = linux.unavailableReason();
  const command = (kernel: string): string[] => [process.execPath, "--expose-gc", BUILT.programProcess, kernel];
  const onLinux = { name: ON_LINUX, title: "programs on Linux" };
  return [
    noLinux === undefined
      ? { ...onLinux, command: command("linux") }
      : { ...onLinux, command: undefined, absent: noLinux },
    { name: EMBEDDED, title: "programs on the embedded kernel", command: command("embedded") },
  ];
}
