import type { Btf } from "../btf/btf.ts";
import { type ElfFile, SHN_UNDEF, STB_LOCAL, STB_WEAK } from "./elf.ts";

/** The section of configuration values of the kernel: `extern bool CONFIG_BPF_SYSCALL __kconfig;`. */
export const KCONFIG = ".kconfig";
/** The section of functions and variables of the kernel: `extern const int bpf_prog_active __ksym;`. */
export const KSYMS = ".ksyms";

/** What an object uses and does not have itself. */
export interface Extern {
  readonly name: string;
  readonly section: typeof KCONFIG | typeof KSYMS;
  /** The id of its type in the object's BTF: that of the variable's, or of the function's prototype. */
  readonly type: number;
  readonly isFunction: boolean;
  /** Whether the program runs without it, and sees 0. */
  readonly isWeak: boolean;
}

/** What an object uses of the kernel, by name. */
export function externs(elf: ElfFile, btf: Btf | undefined): ReadonlyMap<string, Extern> {
  const found = new Map<string, Extern>();
  if (btf === undefined) return found;
  const isWeak = new Map(
    elf.symbols
      .filter(({ section, binding, name }) => section === SHN_UNDEF && binding !== STB_LOCAL && name !== "")
      .map(({ name, binding }) => [name, binding === STB_WEAK]),
  );
  for (const section of [KCONFIG, KSYMS] as const) {
    const id = btf.find(section, "datasec");
    const datasec = id === undefined ? undefined : btf.type(id);
    if (datasec?.kind !== "datasec") continue;
    for (const { type } of datasec.variables) {
      const item = btf.type(type);
      if (item.kind !== "var" && item.kind !== "func") continue;
      const { name, kind } = item;
      found.set(name, {
        name,
        section,
        type: item.type,
        isFunction: kind === "func",
        isWeak: isWeak.get(name) ?? false,
      });
    }
  }
  return found;
}
