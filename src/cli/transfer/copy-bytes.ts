/** Up to so many bytes are copied faster one by one than by making a view of them, which is garbage afterwards. */
const FEW = 64;

/** Copies `length` bytes. */
export function copyBytes(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  if (length > FEW) to.set(from.subarray(at, at + length), toAt);
  else for (let i = 0; i < length; i++) to[toAt + i] = from[at + i] as number;
}
