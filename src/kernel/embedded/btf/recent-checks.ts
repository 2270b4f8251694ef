import type { RawBtf } from "./raw-btf.ts";
import type { StructRecords } from "./struct-records.ts";

/** What the checks of BTF found, which is the same for the same bytes. */
export interface CheckedBtf {
  readonly raw: RawBtf;
  readonly records: StructRecords;
}

const MOST_KEPT = 16;
/** BTF of more bytes is not looked for: it is a program's, and loaded once. */
const MOST_BYTES = 2 ** 16;

/** The last that were good, the youngest first. Maps of the same types come and go, and each brings the same BTF. */
const recent: CheckedBtf[] = [];

/** What was found when these bytes were checked not long ago. */
export function recallChecked(bytes: Uint8Array): CheckedBtf | undefined {
  const at = bytes.length > MOST_BYTES ? -1 : recent.findIndex(({ raw }) => isSame(raw.u8, bytes));
  const [found] = at < 0 ? [] : recent.splice(at, 1);
  if (found !== undefined) recent.unshift(found);
  return found;
}

/** Keeps what was found for the next who loads the same. */
export function rememberChecked(checked: CheckedBtf): void {
  if (checked.raw.u8.length > MOST_BYTES) return;
  recent.unshift(checked);
  if (recent.length > MOST_KEPT) recent.pop();
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
