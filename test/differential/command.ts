/**
 * One command of a random program. Maps are named by slots: whatever fd a kernel gives for what was opened into a slot
 * is that kernel's own affair. Keys, values and cursors are numbers, spread over as many bytes as the map in the slot has.
 */
export type Command =
  | {
      readonly op: "create";
      readonly slot: number;
      readonly type: number;
      readonly keySize: number;
      readonly valueSize: number;
      readonly maxEntries: number;
      readonly flags: number;
      readonly name: string;
      readonly odd: Odd | null;
      /** The slot of the inner map, for a map of maps. */
      readonly inner?: number;
      /** What types its keys and values have. */
      readonly types?: MapTypes;
    }
  | {
      readonly op: "update";
      readonly slot: number;
      readonly key: number;
      readonly value: number;
      readonly flags: number;
    }
  | { readonly op: "lookup" | "take"; readonly slot: number; readonly key: number; readonly flags: number }
  | { readonly op: "delete"; readonly slot: number; readonly key: number }
  | { readonly op: "nextKey"; readonly slot: number; readonly key: number | null }
  | {
      readonly op: "lookupBatch" | "takeBatch";
      readonly slot: number;
      readonly cursor: number | "out" | null;
      readonly count: number;
      readonly elemFlags: number;
      readonly flags: number;
    }
  | {
      readonly op: "updateBatch" | "deleteBatch";
      readonly slot: number;
      readonly keys: readonly number[];
      readonly elemFlags: number;
      readonly flags: number;
    }
  | { readonly op: "freeze" | "info" | "close"; readonly slot: number }
  | { readonly op: "pin"; readonly slot: number; readonly path: string; readonly fileFlags: number }
  | { readonly op: "get"; readonly slot: number; readonly path: string; readonly fileFlags: number }
  | { readonly op: "byId"; readonly from: number; readonly slot: number; readonly openFlags: number }
  | {
      /** Opens the inner map that a map of maps has for a key. */
      readonly op: "inner";
      readonly from: number;
      readonly key: number;
      readonly slot: number;
    }
  | { readonly op: "mkdir" | "rmdir" | "unlink" | "readdir"; readonly path: string }
  | {
      readonly op: "mmap";
      readonly slot: number;
      readonly pages: number;
      readonly protection: number;
      readonly offset: number;
    }
  | { readonly op: "store"; readonly at: number; readonly value: number }
  | { readonly op: "munmap" }
  | BtfCommand
  | {
      /** A command given with another attr than libbpf's: shorter, longer, with junk behind it, with pointers to nowhere. */
      readonly op: "raw";
      readonly cmd: number;
      readonly slot: number;
      readonly key: number;
      readonly size: number;
      /** Where a byte behind the command's last field is not zero. */
      readonly junkAt: number | null;
      readonly pointer: Pointer;
      readonly which: number;
      readonly flags: number;
      readonly shift: number;
    };

/** Commands on BTF, which has slots of its own. */
export type BtfCommand =
  | {
      readonly op: "btfLoad";
      readonly btf: number;
      /** Which of the good ones: see `LOADED` in btf-slots.ts. */
      readonly source: number;
      /** Changes it, when it is a number, by that seed. */
      readonly mutation: number | null;
      readonly flags: number;
      readonly log: { readonly level: number; readonly size: number };
    }
  | { readonly op: "btfById"; readonly from: number; readonly btf: number }
  | { readonly op: "btfNextId"; readonly btf: number }
  | { readonly op: "btfInfo"; readonly btf: number; readonly room: number }
  | { readonly op: "btfClose"; readonly btf: number }
  | {
      /** Opens the BTF of a map. */
      readonly op: "btfOfMap";
      readonly slot: number;
      readonly btf: number;
    }
  | {
      /** Opens BTF once more, where maps are looked for. */
      readonly op: "btfForMap";
      readonly btf: number;
      readonly slot: number;
    };

/** The BTF that a map is made with, and the ids of its types. */
export interface MapTypes {
  /** The slot of the BTF, or what is none: an fd that is closed, or the fd of a map. */
  readonly btf: number | "closed" | "map";
  readonly key: number;
  readonly value: number;
}

/** A field of BPF_MAP_CREATE that is usually 0. */
export interface Odd {
  readonly field:
    | "innerMapFd"
    | "numaNode"
    | "ifindex"
    | "btfFd"
    | "btfKeyTypeId"
    | "btfValueTypeId"
    | "mapExtra"
    | "tokenFd";
  readonly value: number;
}

/** What one pointer of a raw attr is replaced by. */
export type Pointer = "good" | "null" | "low" | "beyond" | "wide" | "edge" | "unaligned";

export const SLOTS = 4;
export const BTF_SLOTS = 2;
