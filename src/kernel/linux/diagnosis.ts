import { ENOSYS, EPERM, errnoCode, errnoDescription } from "../../abi/errno.ts";
import { BPF_SYSCALL } from "./libc.ts";

/** Bits of the capability sets, `include/uapi/linux/capability.h`. */
const CAP_SYS_ADMIN = 1n << 21n;
const CAP_BPF = 1n << 39n;

/** Mode 2 of `Seccomp:` in /proc/self/status: system calls go through a filter. */
const SECCOMP_MODE_FILTER = 2;

/** What can be observed of why `bpf(2)` works here or does not. `undefined` is what could not be read. */
export interface Observations {
  /** `process.platform`. */
  readonly platform: string;
  /** `process.arch`. */
  readonly arch: string;
  /** `os.endianness()`. */
  readonly endianness: "LE" | "BE";
  /** Whether koffi is installed, and if so why it does not load. */
  readonly koffi: "works" | "absent" | { readonly error: string };
  /** How the creation of a tiny map ended: 0 or an errno. */
  readonly errno: number;
  /** `os.release()`: `"6.18.44"`. */
  readonly release: string;
  /** `CapEff:` of /proc/thread-self/status. */
  readonly capabilities: bigint | undefined;
  /** `Seccomp:` of /proc/thread-self/status. */
  readonly seccomp: number | undefined;
  /** Whether the user namespace is the first one: a capability in any other is none for `bpf(2)`. */
  readonly initialUserNamespace: boolean | undefined;
  /** /proc/sys/kernel/unprivileged_bpf_disabled: 0, 1 or 2. */
  readonly unprivilegedBpfDisabled: number | undefined;
  /** /sys/kernel/security/lockdown: `none`, `integrity` or `confidentiality`. */
  readonly lockdown: string | undefined;
}

/** Whether the maps of the running Linux kernel can be used here, and if not, why and what to do. */
export type Availability =
  | { readonly available: true }
  | {
      readonly available: false;
      /**
       * What is missing: `"NOT_LINUX"`, `"UNSUPPORTED_ARCHITECTURE"`, `"NO_KOFFI"`, `"BROKEN_KOFFI"`, or the error
       * that `bpf(2)` answered, such as `"EPERM"` or `"ENOSYS"`.
       */
      readonly code: string;
      /** A sentence or two for people: what is missing, and what to do. */
      readonly reason: string;
    };

/** Decides from what was observed, and from nothing else. */
export function diagnose(seen: Observations): Availability {
  if (seen.platform !== "linux") {
    return no(
      "NOT_LINUX",
      `this is ${seen.platform}, and only Linux has eBPF maps; embedded() has the same ones anywhere`,
    );
  }
  if (BPF_SYSCALL[seen.arch] === undefined || seen.endianness !== "LE") {
    const here = seen.endianness === "LE" ? seen.arch : `big-endian ${seen.arch}`;
    return no(
      "UNSUPPORTED_ARCHITECTURE",
      `bpf(2) is called on ${Object.keys(BPF_SYSCALL).join(" and ")} only, and this is ${here}; ` +
        "embedded() has the same maps on any architecture",
    );
  }
  if (seen.koffi === "absent") {
    return no(
      "NO_KOFFI",
      "the optional dependency koffi, through which bpf(2) is called, is not installed; run `npm install koffi`",
    );
  }
  if (seen.koffi !== "works") {
    return no(
      "BROKEN_KOFFI",
      `koffi, through which bpf(2) is called, is installed but does not load: ${seen.koffi.error}; ` +
        "reinstall it on this machine with `npm install koffi`",
    );
  }
  if (seen.errno === 0) return { available: true };
  return no(errnoCode(seen.errno), explain(seen));
}

function no(code: string, reason: string): Availability {
  return { available: false, code, reason };
}

function explain(seen: Observations): string {
  if (seen.errno === EPERM) return explainEperm(seen);
  if (seen.errno === ENOSYS) return explainEnosys(seen);
  return `Linux refused to create a map of 4 bytes: ${errnoCode(seen.errno)}, ${errnoDescription(seen.errno)}`;
}

function explainEnosys(seen: Observations): string {
  const missing =
    "there is no bpf(2) here: the kernel was built without CONFIG_BPF_SYSCALL, or is one that only looks like Linux, " +
    "such as gVisor";
  if (seen.seccomp !== SECCOMP_MODE_FILTER) return `${missing}; run on a kernel that has it`;
  return `${missing}, or the seccomp filter of this container hides it; ${ALLOW_IN_SECCOMP}`;
}

function explainEperm(seen: Observations): string {
  if (seen.capabilities !== undefined && !isCapable(seen.capabilities)) return explainMissingCapability(seen);
  if (seen.initialUserNamespace === false) {
    return (
      "this process has its capabilities in a user namespace of its own, as in a rootless container, and bpf(2) asks " +
      "for CAP_BPF in the first one; run as root of the host"
    );
  }
  if (seen.seccomp === SECCOMP_MODE_FILTER) {
    return `the seccomp filter of this container forbids bpf(2), though the process has the capability; ${ALLOW_IN_SECCOMP}`;
  }
  if (isOlderThan(seen.release, 5, 11)) {
    return (
      `Linux ${seen.release} counts maps against the limit of locked memory (RLIMIT_MEMLOCK), and it is spent; ` +
      "raise it with `ulimit -l unlimited`"
    );
  }
  const lockdown =
    seen.lockdown === undefined || seen.lockdown === "none" ? "" : `, and lockdown is set to ${seen.lockdown}`;
  return (
    `a security module (SELinux, AppArmor, BPF LSM) forbids bpf(2) to this process, which has the capability${lockdown}; ` +
    "the kernel log (`dmesg`, `ausearch -m avc`) says which rule does"
  );
}

const ALLOW_IN_SECCOMP =
  "allow it: `docker run --cap-add BPF`, or `--security-opt seccomp=<profile>` with a profile that lists bpf " +
  "(`seccomp=unconfined` to try)";

const GIVE_CAP_BPF =
  "run as root, in a container with `--cap-add BPF`, as a service with `AmbientCapabilities=CAP_BPF`, or once " +
  '`sudo setcap cap_bpf+ep "$(readlink -f "$(which node)")"`; ' +
  "device maps and socket maps ask for CAP_NET_ADMIN besides, tracing programs for CAP_PERFMON";

function explainMissingCapability(seen: Observations): string {
  // CAP_BPF is of Linux 5.8; before, CAP_SYS_ADMIN stood for it.
  const before = isOlderThan(seen.release, 5, 8);
  const needed = before ? "CAP_SYS_ADMIN" : "CAP_BPF";
  const give = before ? "run as root, or in a container with `--cap-add SYS_ADMIN`" : GIVE_CAP_BPF;
  if (seen.unprivilegedBpfDisabled === 0) {
    const filter = seen.seccomp === SECCOMP_MODE_FILTER ? "a seccomp filter" : "a security module or RLIMIT_MEMLOCK";
    return (
      `kernel.unprivileged_bpf_disabled is 0, so anyone may create maps here, but ${filter} forbids it ` +
      `to this process, which lacks ${needed}; ${seen.seccomp === SECCOMP_MODE_FILTER ? ALLOW_IN_SECCOMP : give}`
    );
  }
  return `this process lacks ${needed}${becauseOfSysctl(seen.unprivilegedBpfDisabled)}; ${give}`;
}

function becauseOfSysctl(value: number | undefined): string {
  if (value === 1) return ", without which kernel.unprivileged_bpf_disabled = 1 forbids maps until the next boot";
  if (value === 2)
    return ", without which kernel.unprivileged_bpf_disabled = 2 forbids maps until an administrator sets it to 0";
  return "";
}

function isCapable(capabilities: bigint): boolean {
  return (capabilities & (CAP_BPF | CAP_SYS_ADMIN)) !== 0n;
}

function isOlderThan(release: string, major: number, minor: number): boolean {
  const [, its = "", itsMinor = ""] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return its !== "" && (Number(its) < major || (Number(its) === major && Number(itsMinor) < minor));
}
