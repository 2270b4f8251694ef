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
