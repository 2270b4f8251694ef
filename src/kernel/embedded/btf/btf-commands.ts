import { BTF_LOAD } from "../../../abi/attr.ts";
import { BTF_MAX_SIZE } from "../../../abi/btf.ts";
import { E2BIG, EBADF, EFAULT, EINVAL } from "../../../abi/errno.ts";
import { BPF_F_TOKEN_FD } from "../../../abi/flags.ts";
import { BTF_INFO } from "../../../abi/info.ts";
import type { Address } from "../../../memory/address-space.ts";
import { OpenFile } from "../file-table.ts";
import { answerInfo, copyOut, pointerIn } from "../info-answer.ts";
import { i32At, type KernelState } from "../kernel-state.ts";
import { accessOk, pointerAt } from "../user-memory.ts";
import { VerifierLog } from "../verifier-log.ts";
import { BtfCheck } from "./btf-check.ts";
import { BtfObject } from "./btf-object.ts";
import { RawBtf } from "./raw-btf.ts";

/**
 * BPF_BTF_LOAD: a new fd, or `−errno`. `size` bytes of attr were given, of which the caller reads what is answered in
 * his own attr at `uattr`. `kernel/bpf/syscall.c: bpf_btf_load`, 6.18.
 */
export function loadBtf(state: KernelState, attr: Address, uattr: Address, size: number): number {
  const { memory, files } = state;
  const flags = i32At(state, attr + BTF_LOAD.BTF_FLAGS);
  if ((flags & ~BPF_F_TOKEN_FD) !== 0) return -EINVAL;
  // No file is a token.
  if (flags !== 0) return files.isOpen(i32At(state, attr + BTF_LOAD.BTF_TOKEN_FD)) ? -EINVAL : -EBADF;
  const btfSize = i32At(state, attr + BTF_LOAD.BTF_SIZE) >>> 0;
  if (btfSize > BTF_MAX_SIZE) return -E2BIG;
  const log = VerifierLog.open(
    memory,
    i32At(state, attr + BTF_LOAD.BTF_LOG_LEVEL) >>> 0,
    pointerAt(memory, attr + BTF_LOAD.BTF_LOG_BUF),
    i32At(state, attr + BTF_LOAD.BTF_LOG_SIZE) >>> 0,
  );
  if (typeof log === "number") return log;
  const bytes = pointerAt(memory, attr + BTF_LOAD.BTF);
  const checked = accessOk(memory, bytes, btfSize)
    ? BtfObject.check(state.btfs, new BtfCheck(new RawBtf(memory.u8.slice(bytes, bytes + btfSize)), log))
    : -EFAULT;
  const error = finishLog(state, log, uattr, size);
  if (error !== 0) return error;
  if (typeof checked === "number") return checked;
  state.btfs.add(checked);
  checked.references++;
  return files.open(new OpenFile(checked));
}

function finishLog({ memory }: KernelState, log: VerifierLog, uattr: Address, size: number): number {
  const { error, trueSize } = log.finish();
  if (size < BTF_LOAD.BTF_LOG_TRUE_SIZE + 4) return error;
  const at = uattr + BTF_LOAD.BTF_LOG_TRUE_SIZE;
  if (!accessOk(memory, at, 4)) return -EFAULT;
  memory.view.setUint32(at, trueSize, true);
  return error;
}

/** BPF_OBJ_GET_INFO_BY_FD on BTF: `kernel/bpf/btf.c: btf_get_info_by_fd`, 6.18. What is loaded by programs has no name. */
export function getBtfInfo({ memory }: KernelState, btf: BtfObject, attr: Address, uattr: Address): number {
  return answerInfo(memory, { attr, uattr }, BTF_INFO.SIZE, (info) => {
    const name = pointerIn(info, BTF_INFO.NAME);
    const nameRoom = info.getUint32(BTF_INFO.NAME_LEN, true);
    const room = info.getUint32(BTF_INFO.BTF_SIZE, true);
    const error = copyOut(memory, pointerIn(info, BTF_INFO.BTF), btf.bytes, room);
    if (error !== 0) return error;
    if ((name !== 0) !== (nameRoom !== 0)) return -EINVAL;
    if (name !== 0) {
      if (!accessOk(memory, name, 1)) return -EFAULT;
      memory.u8[name] = 0;
    }
    info.setUint32(BTF_INFO.ID, btf.id, true);
    info.setUint32(BTF_INFO.BTF_SIZE, btf.bytes.length, true);
    info.setUint32(BTF_INFO.KERNEL_BTF, 0, true);
    info.setUint32(BTF_INFO.NAME_LEN, 0, true);
    return 0;
  });
}
