import { define, refuse } from "./define.ts";
import { type Fault, outOfRange, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

const LOW = 0xffff_ffff_ffff_ffffn;

/** An unsigned integer of sixteen bytes, `unsigned __int128`, least significant byte first, as a `bigint`. */
export const u128: Layout<bigint> = int128("u128", 0n, 2n ** 128n - 1n);

/** A signed integer of sixteen bytes, `__int128`, least significant byte first, as a `bigint`. */
export const i128: Layout<bigint> = int128("i128", -(2n ** 127n), 2n ** 127n - 1n);

function int128(name: string, least: bigint, most: bigint): Layout<bigint> {
  const fault = (value: unknown): Fault | undefined => {
    if (typeof value !== "bigint") return wrongKind(name, "a bigint", value);
    return value >= least && value <= most
      ? undefined
      : outOfRange(name, `${value} is out of range, ${least} to ${most}`);
  };
  const layout: Layout<bigint> = define<bigint>({
    name,
    size: 16,
    align: 16,
    read({ view }, address) {
      const bits = (view.getBigUint64(address + 8, true) << 64n) | view.getBigUint64(address, true);
      return least < 0n ? BigInt.asIntN(128, bits) : bits;
    },
    write({ view }, address, value) {
      if (fault(value) !== undefined) refuse(layout, value);
      view.setBigUint64(address, value & LOW, true);
      view.setBigUint64(address + 8, (value >> 64n) & LOW, true);
    },
    fault,
  });
  return layout;
}
