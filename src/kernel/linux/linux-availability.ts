import { readFileSync } from "node:fs";
import { endianness, release } from "node:os";
import { MAP_CREATE } from "../../abi/attr.ts";
import { BPF_MAP_CREATE } from "../../abi/commands.ts";
import { BPF_MAP_TYPE_ARRAY } from "../../abi/map-types.ts";
import { type Availability, diagnose, type Observations } from "./diagnosis.ts";
import { BPF_SYSCALL, type Libc, loadLibc } from "./libc.ts";

/** The maps of the running Linux kernel cannot be used here. The message says what is missing and what to do. */
export class LinuxUnavailableError extends Error {
  override readonly name = "LinuxUnavailableError";
  /** See `Availability`. */
  readonly code: string;

  constructor({ code, reason }: Extract<Availability, { available: false }>) {
    super(`the Linux kernel's maps are not available: ${reason}`);
    this.code = code;
  }
}

/**
 * Whether the maps of the running Linux kernel can be used by this process, and if not, why and what to do. Creates
 * one map of 4 bytes to find out, and closes it. Never throws.
 *
 * Available means that maps of the common types can be created. Some types ask for more: CAP_NET_ADMIN for device and
 * socket maps, CAP_BPF for most others where unprivileged users may create maps at all (kernel/bpf/syscall.c:
 * map_create, 6.18).
 */
export function linuxAvailability(): Availability {
  return diagnose(observe());
}

function observe(): Observations {
  const host = { platform: process.platform, arch: process.arch, endianness: endianness(), release: release() };
  const status = read("/proc/thread-self/status");
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  const seccomp = /^Seccomp:\s*(\d+)$/m.exec(status)?.[1];
  const uidMap = read("/proc/self/uid_map");
  const disabled = read("/proc/sys/kernel/unprivileged_bpf_disabled").trim();
  return {
    ...host,
    ...tryOut(),
    capabilities: capabilities === undefined ? undefined : BigInt(`0x${capabilities}`),
    seccomp: seccomp === undefined ? undefined : Number(seccomp),
    initialUserNamespace: uidMap === "" ? undefined : /^\s*0\s+0\s+4294967295\s*$/.test(uidMap),
    unprivilegedBpfDisabled: disabled === "" ? undefined : Number(disabled),
    lockdown: /\[(\w+)\]/.exec(read("/sys/kernel/security/lockdown"))?.[1],
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Loads koffi and creates a map, each only where what comes before it allows. */
function tryOut(): Pick<Observations, "koffi" | "errno"> {
  const number = BPF_SYSCALL[process.arch];
  if (process.platform !== "linux" || number === undefined) return { koffi: "absent", errno: 0 };
  try {
    return { koffi: "works", errno: createTinyMap(loadLibc(), number) };
  } catch (error) {
    return { koffi: isAbsent(error) ? "absent" : { error: messageOf(error) }, errno: 0 };
  }
}

/** Node answers so for a package that is not installed, and nobody else does. */
function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND" && /'koffi'/.test(messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}

/** The attr of an array of one `u32`. It must stay where it is: an ArrayBuffer made as such does, while it is alive. */
const TINY_MAP = new Uint32Array(new ArrayBuffer(MAP_CREATE.MAP_FLAGS));
TINY_MAP.set([BPF_MAP_TYPE_ARRAY, 4, 4, 1]);

function createTinyMap(libc: Libc, number: number): number {
  const attr = libc.addressOf(new Uint8Array(TINY_MAP.buffer));
  const fd = libc.syscall(number, BPF_MAP_CREATE, attr, TINY_MAP.byteLength);
  if (fd < 0) return libc.errno();
  libc.close(fd);
  return 0;
}
