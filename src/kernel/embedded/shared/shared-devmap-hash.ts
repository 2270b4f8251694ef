import { EEXIST, EINVAL, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { deviceRefusal } from "../maps/devmap.ts";
import type { SharingHost } from "./agent.ts";
import { SharedHash } from "./shared-hash.ts";

/** Devices by any number, shared: a hash table of them, in the order of one. */
export class SharedDevmapHash extends SharedHash {
  /** Eight bytes for a value on its way. */
  readonly #value: Address;

  /** Over a segment whose sizes were checked. */
  constructor(host: SharingHost, base: Address, valueSize: number, isNew: boolean) {
    super(host, base, { userValueSize: valueSize, storedSize: valueSize, isPercpu: false }, isNew);
    this.#value = host.scratch;
  }

  /** `__dev_map_hash_update_elem`. BPF_EXIST asks for nothing, and no program is kept with the device. */
  override update(key: Address, value: Address, flags: number): number {
    const { view } = this.memory;
    const device = view.getUint32(value, true);
    if (flags > BPF_EXIST || device === 0) return -EINVAL;
    if (flags === BPF_NOEXIST && this.lookup(key) !== 0) return -EEXIST;
    const refusal = deviceRefusal(this.memory, value, this.valueSize);
    if (refusal !== 0) return refusal;
    view.setUint32(this.#value, device, true);
    view.setUint32(this.#value + 4, 0, true);
    return super.update(key, this.#value, flags === BPF_NOEXIST ? BPF_NOEXIST : BPF_ANY);
  }

  override lookupAndDelete(): number {
    return -ENOTSUPP;
  }

  override lookupBatch(): number {
    return -ENOTSUPP;
  }

  override lookupAndDeleteBatch(): number {
    return -ENOTSUPP;
  }

  override updateBatch(): number {
    return -ENOTSUPP;
  }

  override deleteBatch(): number {
    return -ENOTSUPP;
  }

  override generateUpdate(): undefined {
    return undefined;
  }
}
