import type { Range } from "./range.ts";
import { S64_MAX, S64_MIN } from "./range.ts";
import { AT_PACKET_END, type Register } from "./register.ts";
import { U64_MAX } from "./tnum.ts";

/** What a register holds, in the words of a refusal: `a number from 0 to 255`. */
export function describe(register: Register): string {
  const what = describeKind(register);
  return register.isNullable ? `NULL or ${what}` : what;
}

function describeKind(register: Register): string {
  const { kind, range, map, extent } = register;
  switch (kind) {
    case "uninit":
      return "nothing that may be read";
    case "scalar":
      return describeNumber(range);
    case "ctx":
      return `the context${at(register)}`;
    case "map":
      return map?.label ?? "a map";
    case "map_value":
      return `a value of ${map?.label}, ${map?.valueSize} bytes${at(register)}`;
    case "map_key":
      return `a key of ${map?.label}, ${map?.keySize} bytes${at(register)}`;
    case "stack":
      return `the frame pointer${at(register)}`;
    case "packet":
    case "packet_meta":
      return `a pointer into the ${kind === "packet" ? "packet" : "packet's metadata"}${at(register)}${proven(extent)}`;
    case "packet_end":
      return "the end of the packet";
    case "mem":
      return `${register.isRecord ? "a record of a ring buffer" : "memory"}, ${extent} bytes${at(register)}`;
    case "func":
      return "a function";
    case "dynptr":
      return "a dynptr";
    case "sock":
      return "a socket";
  }
}

/** `, 8 bytes of which are proven to be there`. */
function proven(extent: number): string {
  if (extent < 0) return extent === AT_PACKET_END ? " at or beyond its end" : " beyond its end";
  return extent === 0 ? " of which nothing is proven to be there" : `, of which ${extent} bytes are proven to be there`;
}

/** The offset of a pointer: ` + 4`, or ` + (a number from 0 to 7)`. */
function at({ range, offset, place }: Register): string {
  const fixed = place ?? offset;
  const constant = fixed === 0 ? "" : fixed < 0 ? ` - ${-fixed}` : ` + ${fixed}`;
  return place === undefined ? `${constant} + (${describeNumber(range)})` : constant;
}

/** `7`, `a number from 0 to 255`, `a number of which nothing is known`. */
export function describeNumber(range: Range): string {
  if (range.isConstant) return `${range.smin}`;
  if (range.smin !== S64_MIN && range.smax !== S64_MAX) return `a number from ${range.smin} to ${range.smax}`;
  if (range.umin !== 0n || range.umax !== U64_MAX) return `an unsigned number from ${range.umin} to ${range.umax}`;
  if (range.smin !== S64_MIN) return `a number from ${range.smin} up`;
  if (range.smax !== S64_MAX) return `a number up to ${range.smax}`;
  return "a number of which nothing is known";
}
