import type { Btf } from "./btf.ts";

/** The structs of a value that are no data, by their sizes: `enum btf_field_type` of Linux 6.18. */
const STRUCTS: ReadonlyMap<string, number> = new Map([
  ["bpf_spin_lock", 4],
  ["bpf_res_spin_lock", 4],
  ["bpf_timer", 16],
  ["bpf_wq", 16],
  ["bpf_task_work", 8],
  ["bpf_list_head", 16],
  ["bpf_list_node", 24],
  ["bpf_rb_root", 16],
  ["bpf_rb_node", 32],
  ["bpf_refcount", 4],
]);

/** The tags of pointers that only programs may set. */
const POINTER_TAGS: ReadonlySet<string> = new Set(["kptr", "kptr_untrusted", "kptr_ref", "percpu_kptr", "uptr"]);

const GREATEST_DEPTH = 32;

/** Whether a member of this type belongs to programs and not to user space, which reads it as zeros. Arrays of such too. */
export function isSpecialField(btf: Btf, id: number, depth = 0): boolean {
  if (depth > GREATEST_DEPTH) return false;
  const type = btf.type(id);
  if (type.kind === "struct") return STRUCTS.get(type.name) === type.size;
  if (type.kind === "array") return isSpecialField(btf, type.type, depth + 1);
  if (type.kind === "volatile") return isSpecialField(btf, type.type, depth + 1);
  if (type.kind !== "ptr") return false;
  const target = btf.type(type.type);
  return target.kind === "type_tag" && POINTER_TAGS.has(target.name);
}
