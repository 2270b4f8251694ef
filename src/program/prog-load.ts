import { BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_LOAD } from "../abi/commands.ts";
import { ENOSPC } from "../abi/errno.ts";
import type { MapContext } from "../maps/map-context.ts";
import { BpfError } from "../sys/bpf-error.ts";
import type { ProgLoadOptions } from "../sys/sys.ts";
import { BpfProgram } from "./bpf-program.ts";

const LOG_SIZES = [1 << 16, 1 << 20, 1 << 24];

/**
 * Loads a program: BPF_PROG_LOAD. The verifier's log costs time, so it is asked for when the program was refused. Throws
 * a `BpfError` that has it.
 */
export function loadProgram(
  context: MapContext,
  options: ProgLoadOptions,
  explain: (log: string) => string = (log) => log,
): BpfProgram {
  const { sys, kernel } = context;
  const name = options.name ?? "";
  const fd = sys.progLoad(options);
  if (fd < 0) {
    const { errno, log } = refusal(context, options, fd);
    throw new BpfError({ kernel, sys, command: BPF_PROG_LOAD, errno, program: name, log: explain(log) });
  }
  const info = sys.progGetInfoByFd(fd);
  if (typeof info !== "number") return new BpfProgram(context, fd, name, info);
  sys.close(fd);
  throw new BpfError({ kernel, sys, command: BPF_OBJ_GET_INFO_BY_FD, errno: info, program: name });
}

/** What the verifier says of a program that was refused. */
function refusal(
  { sys }: MapContext,
  options: ProgLoadOptions,
  errno: number,
): { readonly errno: number; readonly log: string } {
  for (const size of LOG_SIZES) {
    const logBuf = new Uint8Array(size);
    const result = sys.progLoad({ ...options, logLevel: options.logLevel || 1, logBuf });
    const log = new TextDecoder().decode(logBuf.subarray(0, Math.max(0, logBuf.indexOf(0))));
    if (result === -ENOSPC && size !== LOG_SIZES.at(-1)) continue;
    if (result >= 0) sys.close(result);
    return { errno: result >= 0 ? errno : result, log };
  }
  return { errno, log: "" };
}
