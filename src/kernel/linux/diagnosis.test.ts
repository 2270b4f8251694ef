import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EMFILE, ENOSYS, EPERM } from "../../abi/errno.ts";
import { diagnose, type Observations } from "./diagnosis.ts";

const ALL_CAPABILITIES = 0x1ffffffffffn;

const PRIVILEGED: Observations = {
  platform: "linux",
  arch: "x64",
  endianness: "LE",
  koffi: "works",
  errno: 0,
  release: "6.18.44",
  capabilities: ALL_CAPABILITIES,
  seccomp: 0,
  initialUserNamespace: true,
  unprivilegedBpfDisabled: 2,
  lockdown: "none",
};

/** The code and the reason where something of a machine on which all is well is otherwise. */
function diagnosis(otherwise: Partial<Observations>): { code: string; reason: string } {
  const availability = diagnose({ ...PRIVILEGED, ...otherwise });
  assert.ok(!availability.available);
  return availability;
}

describe("whether Linux can be used", () => {
  test("a map that could be created says that it can, whatever else is so", () => {
    assert.deepEqual(diagnose(PRIVILEGED), { available: true });
    assert.deepEqual(diagnose({ ...PRIVILEGED, arch: "arm64", capabilities: 0n, seccomp: 2 }), { available: true });
  });

  test("another operating system is named, and the embedded kernel offered", () => {
    const { code, reason } = diagnosis({ platform: "darwin", arch: "arm64" });
    assert.equal(code, "NOT_LINUX");
    assert.match(reason, /this is darwin.*embedded\(\)/);
  });

  test("another architecture is named, with those that are supported", () => {
    const { code, reason } = diagnosis({ arch: "riscv64" });
    assert.equal(code, "UNSUPPORTED_ARCHITECTURE");
    assert.match(reason, /x64 and arm64 only, and this is riscv64/);
  });

  test("a big-endian machine is refused even where the architecture is not", () => {
    const { code, reason } = diagnosis({ arch: "arm64", endianness: "BE" });
    assert.equal(code, "UNSUPPORTED_ARCHITECTURE");
    assert.match(reason, /big-endian arm64/);
  });

  test("without koffi the command that installs it is given", () => {
    const { code, reason } = diagnosis({ koffi: "absent" });
    assert.equal(code, "NO_KOFFI");
    assert.match(reason, /koffi.*not installed; run `npm install koffi`/);
  });

  test("a koffi that does not load says why in its own words", () => {
    const { code, reason } = diagnosis({ koffi: { error: "cannot find the native module" } });
    assert.equal(code, "BROKEN_KOFFI");
    assert.match(reason, /does not load: cannot find the native module; reinstall/);
  });

  test("a process without CAP_BPF learns that it lacks it, and how to get it", () => {
    const { code, reason } = diagnosis({ errno: EPERM, capabilities: 0n });
    assert.equal(code, "EPERM");
    assert.match(reason, /lacks CAP_BPF.*unprivileged_bpf_disabled = 2 .*run as root.*--cap-add BPF.*setcap cap_bpf/);
  });

  test("the sysctl's 1 lasts until the next boot", () => {
    assert.match(
      diagnosis({ errno: EPERM, capabilities: 0n, unprivilegedBpfDisabled: 1 }).reason,
      /until the next boot/,
    );
  });

  test("a sysctl that cannot be read is not mentioned", () => {
    const { reason } = diagnosis({ errno: EPERM, capabilities: 0n, unprivilegedBpfDisabled: undefined });
    assert.match(reason, /^this process lacks CAP_BPF; run as root/);
  });

  test("before Linux 5.8 the capability is CAP_SYS_ADMIN", () => {
    const { reason } = diagnosis({ errno: EPERM, capabilities: 0n, release: "5.4.0-150-generic" });
    assert.match(reason, /lacks CAP_SYS_ADMIN/);
    assert.doesNotMatch(reason, /CAP_BPF/);
  });

  test("CAP_SYS_ADMIN stands for CAP_BPF", () => {
    assert.doesNotMatch(diagnosis({ errno: EPERM, capabilities: 1n << 21n }).reason, /lacks/);
  });

  test("where anyone may create maps, it is the filter or something else that forbids it", () => {
    const open = { errno: EPERM, capabilities: 0n, unprivilegedBpfDisabled: 0 };
    assert.match(
      diagnosis({ ...open, seccomp: 2 }).reason,
      /anyone may create maps here, but a seccomp filter forbids/,
    );
    assert.match(diagnosis(open).reason, /anyone may create maps here, but a security module or RLIMIT_MEMLOCK/);
  });

  test("a seccomp filter is recognized by the capability that is there all the same", () => {
    const { reason } = diagnosis({ errno: EPERM, seccomp: 2 });
    assert.match(reason, /seccomp filter.*has the capability.*--security-opt seccomp=/);
  });

  test("the capabilities of a rootless container are none", () => {
    const { reason } = diagnosis({ errno: EPERM, initialUserNamespace: false, seccomp: 2 });
    assert.match(reason, /user namespace of its own.*rootless container/);
  });

  test("before Linux 5.11 it is the limit of locked memory", () => {
    assert.match(diagnosis({ errno: EPERM, release: "5.10.0" }).reason, /RLIMIT_MEMLOCK.*`ulimit -l unlimited`/);
  });

  test("what remains is a security module, with lockdown if it is on", () => {
    assert.match(diagnosis({ errno: EPERM }).reason, /security module/);
    assert.doesNotMatch(diagnosis({ errno: EPERM }).reason, /lockdown/);
    assert.match(diagnosis({ errno: EPERM, lockdown: "integrity" }).reason, /lockdown is set to integrity/);
  });

  test("ENOSYS is a kernel without bpf(2), or a filter that hides it", () => {
    const { code, reason } = diagnosis({ errno: ENOSYS });
    assert.equal(code, "ENOSYS");
    assert.match(reason, /CONFIG_BPF_SYSCALL.*gVisor; run on a kernel that has it$/);
    assert.match(diagnosis({ errno: ENOSYS, seccomp: 2 }).reason, /gVisor, or the seccomp filter/);
  });

  test("any other error is passed on in words", () => {
    const { code, reason } = diagnosis({ errno: EMFILE });
    assert.equal(code, "EMFILE");
    assert.match(reason, /EMFILE, too many open files/);
  });
});
