import { BTF_KIND_STRUCT } from "../../../abi/btf.ts";
import { E2BIG, EFAULT, EINVAL, ELOOP } from "../../../abi/errno.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";
import { BtfRefusal } from "./btf-check.ts";
import type { RawBtf } from "./raw-btf.ts";
import {
  findSpecialFields,
  isNode,
  isRoot,
  pointerField,
  type SpecialField,
  type SpecialFieldType,
} from "./special-fields.ts";

const KPTRS: readonly SpecialFieldType[] = ["kptr_untrusted", "kptr", "percpu_kptr"];

/** The structs whose members make a struct one with special fields. */
const OF_OBJECTS = [
  "bpf_spin_lock",
  "bpf_list_head",
  "bpf_list_node",
  "bpf_rb_root",
  "bpf_rb_node",
  "bpf_refcount",
] as const;

/** What is looked for in structs that programs allocate: no timers. */
const IN_OBJECTS: ReadonlySet<SpecialFieldType> = new Set([...OF_OBJECTS, ...KPTRS, "bpf_res_spin_lock"]);

/** What is looked for in the values of maps. */
const IN_VALUES: ReadonlySet<SpecialFieldType> = new Set([
  ...KPTRS,
  "bpf_spin_lock",
  "bpf_res_spin_lock",
  "bpf_timer",
  "bpf_wq",
  "bpf_task_work",
  "bpf_list_head",
  "bpf_rb_root",
  "bpf_refcount",
  "uptr",
]);

/** The special fields of the structs of one BTF, by the struct's id. */
export type StructRecords = ReadonlyMap<number, readonly SpecialField[]>;

/** Finds the special fields of every struct that has any: `btf_parse_struct_metas`. Throws a `BtfRefusal`. */
export function findStructRecords(btf: RawBtf): StructRecords {
  const special = new Set<number>();
  for (const name of OF_OBJECTS) {
    const id = btf.findStruct(name);
    if (id !== undefined) special.add(id);
  }
  for (let id = 1; id < btf.count; id++) if (isPointerField(btf, id)) special.add(id);
  const records = new Map<number, readonly SpecialField[]>();
  if (special.size === 0) return records;
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BTF_KIND_STRUCT || !hasMemberAmong(btf, id, special)) continue;
    const fields = findSpecialFields(btf, id, IN_OBJECTS, btf.size(id));
    if (fields.length === 0) throw new BtfRefusal(EFAULT);
    records.set(id, fields);
  }
  for (const fields of records.values()) checkOwnership(btf, fields, records);
  return records;
}

/** The special fields of the values of a map. Where they make no sense Linux makes the map as if there were none. */
export function findValueRecord(btf: RawBtf, id: number, valueSize: number): SpecialField[] {
  try {
    return findSpecialFields(btf, id, IN_VALUES, valueSize);
  } catch (error) {
    if (error instanceof BtfRefusal) return [];
    throw error;
  }
}

/** What a list or tree owns does not own others that own again, and a page can hold what a `uptr` points to: `btf_check_and_fixup_fields`. */
export function checkOwnership(btf: RawBtf, fields: readonly SpecialField[], records: StructRecords): void {
  const areNodes = fields.some(({ type }) => isNode(type));
  for (const { type, target = 0 } of fields) {
    if (type === "uptr") {
      if (btf.size(target) === 0) throw new BtfRefusal(EINVAL);
      if (btf.size(target) > PAGE_SIZE) throw new BtfRefusal(E2BIG);
    }
    if (!isRoot(type)) continue;
    const owned = records.get(target);
    if (owned === undefined) throw new BtfRefusal(EFAULT);
    if (areNodes && owned.some(({ type }) => isRoot(type))) throw new BtfRefusal(ELOOP);
  }
}

function isPointerField(btf: RawBtf, id: number): boolean {
  try {
    return pointerField(btf, id, 0, IN_OBJECTS) !== undefined;
  } catch {
    return false;
  }
}

function hasMemberAmong(btf: RawBtf, id: number, special: ReadonlySet<number>): boolean {
  for (let i = 0; i < btf.vlen(id); i++) if (special.has(btf.extra(id, 4, i, 12))) return true;
  return false;
}
