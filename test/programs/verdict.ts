import type { MapTypeName } from "../../src/abi/map-types.ts";
import type { Instruction } from "../../src/isa/instruction.ts";
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, LD_IMM64 } from "../../src/isa/opcodes.ts";
import { type Directory, MemoryDirectory } from "../../src/kernel/embedded/bpffs-directory.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { EmbeddedMap, MapHost } from "../../src/kernel/embedded/map-ops.ts";
import { ObjectTable } from "../../src/kernel/embedded/object-table.ts";
import type { DeclaredFunction, ProgramSource } from "../../src/kernel/embedded/programs/verified-program.ts";
import { verify } from "../../src/kernel/embedded/programs/verifier/verify.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { AddressSpace } from "../../src/memory/address-space.ts";
import { Sys } from "../../src/sys/sys.ts";

/** A map that programs of these tests use, by its place in the list. */
export interface TestMap {
  readonly type: MapTypeName;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  /** The place of the map that a map of maps is made after. */
  readonly inner?: number;
  /** Frozen, with these bytes as its first value. */
  readonly constant?: Uint8Array;
}

/** A program of these tests. Immediates that stand for maps hold the map's place in the list. */
export interface TestProgram {
  readonly type: number;
  readonly expectedAttachType?: number;
  readonly license?: string;
  readonly flags?: number;
  readonly insns: readonly Instruction[];
  readonly functions?: readonly DeclaredFunction[];
}

/** What a verifier said of a program. */
export interface Opinion {
  /** 0, or −errno. */
  readonly result: number;
  readonly log: string;
}

const LOG_BYTES = 1 << 16;

export function makeMaps(sys: Sys, maps: readonly TestMap[]): number[] {
  const fds: number[] = [];
  for (const { type, keySize, valueSize, maxEntries, flags, inner, constant } of maps) {
    const innerMapFd = inner === undefined ? undefined : fds[inner];
    const fd = sys.mapCreate({ type, keySize, valueSize, maxEntries, flags, innerMapFd });
    if (fd < 0) throw new Error(`${type}: ${fd}`);
    if (constant !== undefined) {
      sys.mapUpdateElem(fd, new Uint8Array(keySize), constant, 0);
      sys.mapFreeze(fd);
    }
    fds.push(fd);
  }
  return fds;
}

function isMapReference({ opcode, src }: Instruction): boolean {
  return opcode === LD_IMM64 && (src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_VALUE);
}

/** The verifier of the running kernel. */
export class LinuxVerifier {
  readonly #kernel = new LinuxKernel(new AddressSpace(2 ** 26));
  readonly #sys = new Sys(this.#kernel);
  readonly #fds: readonly number[];
  readonly #log = new Uint8Array(LOG_BYTES);

  constructor(maps: readonly TestMap[]) {
    this.#fds = makeMaps(this.#sys, maps);
  }

  /** What Linux says; the log is asked for at a level. */
  load(program: TestProgram, logLevel = 0): Opinion {
    const insns = program.insns.map((instruction) =>
      isMapReference(instruction) ? { ...instruction, imm: this.#fds[instruction.imm] ?? -1 } : instruction,
    );
    const { type, expectedAttachType, flags } = program;
    const log = logLevel === 0 ? {} : { logLevel, logBuf: this.#log.fill(0) };
    const fd = this.#sys.progLoad({
      type,
      insns,
      license: program.license ?? "GPL",
      expectedAttachType,
      flags,
      ...log,
    });
    if (fd >= 0) this.#sys.close(fd);
    const text = logLevel === 0 ? "" : new TextDecoder().decode(this.#log.subarray(0, this.#log.indexOf(0)));
    return { result: Math.min(fd, 0), log: text };
  }

  release(): void {
    this.#kernel.release();
  }
}

/** The verifier of the embedded kernel. */
export class EmbeddedVerifier {
  readonly #maps: readonly EmbeddedMap[];

  constructor(maps: readonly TestMap[]) {
    const table = new ObjectTable<EmbeddedMap>();
    const memory = new AddressSpace(2 ** 26);
    const kernel = new EmbeddedKernel(
      {},
      {
        memory,
        cpu: 0,
        possibleCpus: 2,
        open: (_host: Omit<MapHost, "maps">) => ({
          maps: table,
          createRefusal: () => 0,
          mount: (parent: Directory) => new MemoryDirectory(parent, true, () => {}),
        }),
        share: () => {
          throw new Error("these tests share nothing");
        },
        reclaim: () => {},
        release: () => {},
      },
    );
    makeMaps(new Sys(kernel), maps);
    this.#maps = maps.map((_, index) => table.get(index + 1) as EmbeddedMap);
  }

  load(program: TestProgram, logLevel = 0): Opinion {
    const { result, log } = verify(this.source(program), logLevel);
    return { result: "errno" in result ? result.errno : 0, log };
  }

  source(program: TestProgram): ProgramSource {
    const references = program.insns
      .map((instruction, slot) => [slot, instruction] as const)
      .filter(([, instruction]) => isMapReference(instruction))
      .map(([slot, { imm }]) => [slot, this.#maps[imm] as EmbeddedMap] as const);
    return {
      type: program.type,
      expectedAttachType: program.expectedAttachType ?? 0,
      flags: program.flags ?? 0,
      instructions: program.insns,
      isGplCompatible: (program.license ?? "GPL") === "GPL",
      maps: new Map(references),
      functions: program.functions,
      possibleCpus: 2,
    };
  }
}
