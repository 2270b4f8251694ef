import { type Bpf, embedded } from "mapiary";
import { linux } from "mapiary/linux";

/** The embedded kernel, or the running Linux kernel when the example is started with `--linux`. */
export const openKernel = (): Bpf => (process.argv.includes("--linux") ? linux() : embedded());
