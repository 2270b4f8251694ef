const LONGEST = 64;

/** A value on one line, as a message shows it: `5`, `100n`, `"10.0.0.1"`, `{"port":80}`, `0x0a000001`; long ones are cut. */
export function shown(value: unknown): string {
  const text = written(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

function written(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return String(value);
  if (value instanceof Uint8Array) {
    return `0x${[...value].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? String(value);
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}:${written(field)}`);
  return `{${fields.join(",")}}`;
}

/** A number of bytes in the unit that keeps it short: `512 bytes`, `1.5 MiB`. */
export function shownBytes(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length);
  if (power === 0) return `${bytes} bytes`;
  return `${Number((bytes / 2 ** (10 * power)).toFixed(1))} ${units[power - 1]}`;
}

/** Flags in a message: `0x18`. */
export function hex(flags: number): string {
  return `0x${flags.toString(16)}`;
}
