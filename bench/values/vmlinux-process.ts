/** Reads the types in a file: all of them as objects, or one struct by its name: `vmlinux-process.js FILE [STRUCT]`. */
import { readFileSync } from "node:fs";
import { Btf, layoutOfType } from "mapiary";

const [file = "", struct] = process.argv.slice(2);
const btf = new Btf(readFileSync(file));
if (struct !== undefined) {
  const id = btf.find(struct, "struct") ?? 0;
  if (layoutOfType(btf, id).size === 0) throw new Error(`struct ${struct} has no size`);
} else {
  let types = 0;
  for (const [, type] of btf.types()) if (type.kind !== "void") types++;
  if (types !== btf.endId - 1) throw new Error(`${types} of ${btf.endId - 1} types were read`);
}
