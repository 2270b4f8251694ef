import type { Btf } from "../btf/btf.ts";
import type { BtfType } from "../btf/btf-type.ts";
import { layoutOfType } from "../btf/type-layout.ts";
import type { DataSection, VariableDefinition } from "./data-sections.ts";
import { type Extern, KCONFIG } from "./externs.ts";
import { ObjectError } from "./object-error.ts";
import type { ObjectFile } from "./object-file.ts";
import { memoryOf } from "./variables.ts";

/** The value of a configuration option: `true` and `"y"` are the same, as are `false` and `"n"`; `"m"` is a module. */
export type KconfigValue = number | bigint | boolean | string;

/**
 * The configuration of the kernel that an object asks for, `extern … __kconfig`, as a section of constants; `undefined` when
 * it asks for none. Throws an `ObjectError` for a value that is not given, unless the program can do without.
 */
export function kconfigSection(
  object: ObjectFile,
  given: Readonly<Record<string, KconfigValue>>,
): DataSection | undefined {
  const { btf } = object;
  const wanted = [...object.externs.values()].filter(({ section }) => section === KCONFIG);
  if (btf === undefined || wanted.length === 0) return undefined;
  const variables = placed(btf, wanted);
  const last = variables.at(-1) as VariableDefinition;
  const bytes = new Uint8Array(last.offset + last.size);
  for (const [index, { name, offset, type }] of variables.entries()) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) {
      if (wanted[index]?.isWeak) continue;
      throw new ObjectError(`asks for ${name} of the kernel: give it, with kconfig: { ${name}: … }`, {
        section: KCONFIG,
      });
    }
    layoutOfType(btf, type).write(memoryOf(bytes), offset, written(value, btf.type(btf.resolve(type))));
  }
  return { name: KCONFIG, isReadOnly: true, bytes, variables, type: 0 };
}

function placed(btf: Btf, wanted: readonly Extern[]): VariableDefinition[] {
  let end = 0;
  return wanted.map(({ name, type }) => {
    const size = btf.sizeOf(type) ?? 0;
    const align = btf.alignOf(type);
    const offset = Math.ceil(end / align) * align;
    end = offset + size;
    return { name, offset, size, type, isStatic: false };
  });
}

/** What a layout of the type takes for a value. */
function written(value: KconfigValue, type: BtfType): unknown {
  const choice = typeof value === "boolean" ? (value ? "y" : "n") : value;
  const number = { n: 0, y: 1, m: 2 }[String(choice)] ?? choice;
  if (type.kind === "int") {
    if (type.isBool) return Number(number) !== 0;
    if (type.size === 1 && typeof choice === "string") return choice.charCodeAt(0);
    return type.size === 8 ? BigInt(number) : Number(number);
  }
  if (type.kind === "enum") return type.values.find((each) => each.value === Number(number))?.name ?? Number(number);
  return choice;
}
