import { E2BIG, EBADF, EINVAL, ENOENT, ENOSPC, ENOTSOCK, ENOTSUP } from "../../../abi/errno.ts";
import { BPF_EXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS, type EmbeddedMap } from "../map-ops.ts";
import {
  checkObjectArray,
  lateCheckedMapType,
  OBJECT_MAP_FLAGS,
  ObjectArray,
  ObjectMap,
  objectMapType,
} from "./object-map.ts";

/** A socket as user space gives it: an fd of 4 or 8 bytes. Only what has 8 bytes is read back, as a cookie. */
const FD_OR_COOKIE = [4, 8];
const MAX_BPF_STACK = 512;
const MOST_BUCKETS = 2 ** 27;

/** Whether 8 bytes hold no fd at all. Linux takes those of 4 as unsigned in some types, and as signed in others. */
function isBeyondInt({ memory, valueSize }: EmbeddedMap, value: Address): boolean {
  const high = valueSize === 8 ? memory.view.getUint32(value + 4, true) : 0;
  return high !== 0 || memory.view.getInt32(value, true) < 0;
}

/** What a lookup of a socket that is not there answers; a cookie does not fit into 4 bytes. */
function missingCookie({ valueSize }: EmbeddedMap): number {
  return valueSize === 8 ? -ENOENT : -ENOSPC;
}

/** `net/xdp/xskmap.c`, 6.18. */
class XskMap extends ObjectArray {
  override copyValue(_key: Address, _value: Address): number {
    return -ENOTSUP;
  }

  override update(key: Address, value: Address, flags: number): number {
    if (flags > BPF_EXIST) return -EINVAL;
    return this.has(key) ? this.refusal(value, ENOTSOCK, EBADF) : -E2BIG;
  }

  override delete(key: Address): number {
    return this.has(key) ? 0 : -EINVAL;
  }
}

/** `net/core/sock_map.c`, 6.18: the socket is looked for before index and flags. */
class SockMap extends ObjectArray {
  override copyValue(_key: Address, _value: Address): number {
    return missingCookie(this);
  }

  override update(_key: Address, value: Address, _flags: number): number {
    return isBeyondInt(this, value) ? -EINVAL : this.refusal(value, ENOTSOCK, EBADF);
  }

  override delete(_key: Address): number {
    return -EINVAL;
  }
}

/** `net/core/sock_map.c`, 6.18. */
class SockHash extends ObjectMap {
  override copyValue(_key: Address, _value: Address): number {
    return missingCookie(this);
  }

  override update(_key: Address, value: Address, _flags: number): number {
    return isBeyondInt(this, value) ? -EINVAL : this.refusal(value, ENOTSOCK, EBADF);
  }

  override delete(_key: Address): number {
    return -ENOENT;
  }
}

/** `kernel/bpf/reuseport_array.c`, 6.18. */
class ReuseportSockArray extends ObjectArray {
  override copyValue(_key: Address, _value: Address): number {
    return missingCookie(this);
  }

  override update(key: Address, value: Address, flags: number): number {
    if (flags > BPF_EXIST) return -EINVAL;
    if (!this.has(key)) return -E2BIG;
    if (this.valueSize === 8 && isBeyondInt(this, value)) return -EINVAL;
    return this.refusal(value, ENOTSOCK, EBADF);
  }

  override delete(key: Address): number {
    return this.has(key) ? -ENOENT : -E2BIG;
  }
}

/** `sock_hash_alloc`. */
function checkSockHash(attr: MapCreateAttr): number {
  const isFit = attr.maxEntries > 0 && attr.keySize > 0 && FD_OR_COOKIE.includes(attr.valueSize);
  if (!isFit || !attr.hasOnlyFlags(OBJECT_MAP_FLAGS)) return -EINVAL;
  if (attr.keySize > MAX_BPF_STACK) return -E2BIG;
  return attr.maxEntries > MOST_BUCKETS ? -EINVAL : 0;
}

/** `"xskmap"`. */
export const XSKMAP = lateCheckedMapType({ check: (attr) => checkObjectArray(attr, [4]), map: XskMap });

/** `"sockmap"`. */
export const SOCKMAP = lateCheckedMapType({ check: (attr) => checkObjectArray(attr, FD_OR_COOKIE), map: SockMap });

/** `"sockhash"`. */
export const SOCKHASH = lateCheckedMapType({ check: checkSockHash, map: SockHash });

/** `"reuseport_sockarray"`. */
export const REUSEPORT_SOCKARRAY = objectMapType({
  check: (attr) => checkObjectArray(attr, FD_OR_COOKIE, OBJECT_MAP_FLAGS | ACCESS_FLAGS),
  map: ReuseportSockArray,
});
