import { EINVAL, ENOTSUPP } from "../../../../abi/errno.ts";
import { BPF_MAP_TYPE_ARRAY } from "../../../../abi/map-types.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { BPF_PSEUDO_FUNC, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_IDX, LD_IMM64 } from "../../../../isa/opcodes.ts";
import { number, pointer } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

/** A 64-bit immediate: a number, a map, the value of a map of one, or a function. `check_ld_imm`, 6.18. */
export function checkWideImmediate(v: Verification, { dst, src, offset, imm }: Instruction): void {
  if (offset !== 0) throw new Rejection(EINVAL, "BPF_LD_IMM64 uses reserved fields: the offset is 0");
  v.checkWritable(dst);
  const upper = (v.program[v.slot + 1] as Instruction).imm;
  switch (src) {
    case 0:
      return v.write(dst, number((BigInt(upper >>> 0) << 32n) | BigInt(imm >>> 0)));
    case BPF_PSEUDO_FUNC:
      return v.write(dst, functionPointer(v, v.slot + imm + 1));
    case BPF_PSEUDO_MAP_FD:
    case BPF_PSEUDO_MAP_IDX: {
      const map = pointer("map");
      map.map = v.mapAt(v.slot);
      return v.write(dst, map);
    }
    default: {
      const value = pointer("map_value");
      value.map = v.mapAt(v.slot);
      value.offset = upper >>> 0;
      return v.write(dst, value);
    }
  }
}

function functionPointer(v: Verification, start: number): ReturnType<typeof pointer> {
  const index = v.functionAt(start);
  const declared = v.source.functions?.find((candidate) => candidate.start === start);
  if (declared === undefined)
    throw new Rejection(
      EINVAL,
      "missing btf func_info: a function whose address is taken is declared by the program's BTF",
    );
  if (declared.isGlobal)
    throw new Rejection(EINVAL, `callback function not static: ${declared.name} is called back, so it must be static`);
  const register = pointer("func");
  register.extent = index;
  return register;
}

/** Refuses immediates whose map cannot be used so, wherever they stand: `resolve_pseudo_ldimm64`, 6.18. */
export function checkMapImmediates(v: Verification): void {
  v.program.forEach(({ opcode, src }, slot) => {
    const isMap = opcode === LD_IMM64 && src !== 0 && src !== BPF_PSEUDO_FUNC;
    if (!isMap) return;
    const map = v.mapAt(slot);
    if (src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_IDX) return;
    const offset = (v.program[slot + 1] as Instruction).imm >>> 0;
    if (map.directValue === 0)
      throw new Rejection(
        EINVAL,
        `instruction ${slot}: no direct value access support for this map type: ${map.label}`,
      );
    if (map.type !== BPF_MAP_TYPE_ARRAY || map.maxEntries !== 1) {
      throw new Rejection(
        ENOTSUPP,
        `instruction ${slot}: the value of ${map.label} has no address of its own: it has ${map.maxEntries} entries, not 1`,
      );
    }
    if (offset >= map.valueSize) {
      throw new Rejection(
        EINVAL,
        `instruction ${slot}: invalid access to map value pointer, value_size=${map.valueSize} off=${offset}`,
      );
    }
  });
}
