import { PROG_INFO } from "../../../abi/info.ts";
import { encode } from "../../../isa/instruction.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { answerInfo, copyOut, pointerIn } from "../info-answer.ts";
import type { EmbeddedProgram } from "./embedded-program.ts";

/** BPF_OBJ_GET_INFO_BY_FD on a program: `kernel/bpf/syscall.c: bpf_prog_get_info_by_fd`, 6.18. */
export function getProgramInfo(memory: AddressSpace, program: EmbeddedProgram, attr: Address, uattr: Address): number {
  return answerInfo(memory, { attr, uattr }, PROG_INFO.SIZE, (info) => fill(memory, program, info));
}

function fill(memory: AddressSpace, program: EmbeddedProgram, info: DataView): number {
  const { traits } = program;
  const answer = new Uint8Array(info.buffer);
  const set = (offset: number, value: number) => info.setUint32(offset, value, true);
  const ids = new Uint8Array(Uint32Array.from(traits.maps, ({ id }) => id).buffer);
  const copies = [
    { bytes: ids, unit: 4, count: PROG_INFO.NR_MAP_IDS, pointer: PROG_INFO.MAP_IDS },
    { bytes: traits.module, unit: 1, count: PROG_INFO.JITED_PROG_LEN, pointer: PROG_INFO.JITED_PROG_INSNS },
    { bytes: shown(program), unit: 1, count: PROG_INFO.XLATED_PROG_LEN, pointer: PROG_INFO.XLATED_PROG_INSNS },
    { bytes: traits.debug?.funcInfo, unit: 8, count: PROG_INFO.NR_FUNC_INFO, pointer: PROG_INFO.FUNC_INFO },
    { bytes: traits.debug?.lineInfo, unit: 16, count: PROG_INFO.NR_LINE_INFO, pointer: PROG_INFO.LINE_INFO },
  ];
  for (const { bytes = new Uint8Array(0), unit, count, pointer } of copies) {
    const error = copyOut(memory, pointerIn(info, pointer), bytes, info.getUint32(count, true) * unit);
    if (error !== 0) return error;
    set(count, bytes.length / unit);
  }
  set(PROG_INFO.TYPE, program.type);
  set(PROG_INFO.ID, program.id);
  answer.set(program.tag, PROG_INFO.TAG);
  info.setBigUint64(PROG_INFO.LOAD_TIME, BigInt(Math.round(program.loadTime)), true);
  set(PROG_INFO.CREATED_BY_UID, 0);
  answer.fill(0, PROG_INFO.NAME, PROG_INFO.NAME + 16);
  answer.set(traits.name.subarray(0, 15), PROG_INFO.NAME);
  set(PROG_INFO.GPL_COMPATIBLE, traits.source.isGplCompatible ? 1 : 0);
  set(PROG_INFO.BTF_ID, traits.debug?.btf.id ?? 0);
  set(PROG_INFO.FUNC_INFO_REC_SIZE, 8);
  set(PROG_INFO.LINE_INFO_REC_SIZE, 16);
  set(PROG_INFO.VERIFIED_INSNS, traits.verifiedInstructions);
  return 0;
}

/** The instructions with the ids of maps in place of fds: `bpf_insn_prepare_dump`. */
function shown({ traits }: EmbeddedProgram): Uint8Array {
  const { instructions, maps } = traits.source;
  return encode(
    instructions.map((instruction, slot) => {
      const map = maps.get(slot);
      return map === undefined ? instruction : { ...instruction, imm: map.id };
    }),
  );
}
