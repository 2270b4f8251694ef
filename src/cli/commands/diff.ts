import { CliError } from "../cli-error.ts";
import { type MapHandle, openMap } from "../map-reference.ts";
import { decoded, formatted, hexLines, isTyped } from "../output/entry.ts";
import { type JsonValue, jsonText } from "../output/json-writer.ts";
import type { Session } from "../session.ts";
import { painter } from "../terminal.ts";
import { readAll } from "../transfer/map-reader.ts";
import { type MapTyping, typingOf } from "../values/typing.ts";
import type { Words } from "../words.ts";

/** What differs at a key. */
interface Difference {
  readonly key: Uint8Array;
  readonly left: Uint8Array | undefined;
  readonly right: Uint8Array | undefined;
}

/** `map diff MAP [and] MAP`: the keys that only one of two maps has, or with another value. Ends with 1 when there are any. */
export async function diff(words: Words, session: Session): Promise<number> {
  using left = await openMap(words, session, "read");
  words.takeExactly("and");
  using right = await openMap(words, session, "read");
  words.requireEnd();
  requireComparable(left, right);
  const typing = typingOf(left, session.options);
  const { output } = session;
  const paint = painter({ hasColour: output.hasColour(session.world.env) });
  let count = 0;
  if (output.isJson) output.json.beginArray();
  for (const difference of differences(left, right)) {
    count++;
    if (output.isJson) output.json.value(differenceJson(left, right, typing, difference));
    else output.text(differenceText(left, right, typing, difference, paint));
  }
  if (output.isJson) output.json.end();
  else output.line(count === 0 ? "The maps are equal." : `Found ${count} difference${count === 1 ? "" : "s"}`);
  return count === 0 ? 0 : 1;
}

function requireComparable(left: MapHandle, right: MapHandle): void {
  for (const { info } of [left, right]) {
    if (info.keySize > 0) continue;
    throw new CliError(`a map of type ${info.type} cannot be compared`, { hint: "It has no keys." });
  }
  for (const [role, size] of [
    ["key", "keySize"],
    ["value", "valueSize"],
  ] as const) {
    const [a, b] = [left.shape[size], right.shape[size]];
    if (a === b) continue;
    const hint = `A ${role} of map ${left.label} has ${a} bytes, one of map ${right.label} has ${b}.`;
    throw new CliError("the maps cannot be compared", { hint });
  }
}

/** In the order of the left map; what only the right one has comes behind. */
function* differences(left: MapHandle, right: MapHandle): Generator<Difference> {
  for (const [key, value] of entriesOf(left)) {
    const other = lookUp(right, key);
    if (other === undefined || Buffer.compare(value, other) !== 0) yield { key, left: value, right: other };
  }
  for (const [key, value] of entriesOf(right)) {
    if (lookUp(left, key) === undefined) yield { key, left: undefined, right: value };
  }
}

function* entriesOf(map: MapHandle): Generator<[key: Uint8Array, value: Uint8Array]> {
  const { keySize, valueSize } = map.shape;
  for (const { count, keys, values } of readAll(map)) {
    for (let i = 0; i < count; i++) {
      yield [keys.subarray(i * keySize, (i + 1) * keySize), values.subarray(i * valueSize, (i + 1) * valueSize)];
    }
  }
}

function lookUp(map: MapHandle, key: Uint8Array): Uint8Array | undefined {
  const value = new Uint8Array(map.shape.valueSize);
  return map.cli.sys.mapLookupElem(map.fd, key, value) === 0 ? value : undefined;
}

function differenceJson(
  left: MapHandle,
  right: MapHandle,
  typing: MapTyping,
  { key, ...values }: Difference,
): JsonValue {
  const side = (map: MapHandle, value: Uint8Array | undefined): JsonValue => {
    if (value === undefined) return null;
    const entry = formatted(map, typing, key, value) as { value?: JsonValue; values?: JsonValue };
    return entry.values ?? entry.value ?? null;
  };
  return { key: decoded(typing.key, key), left: side(left, values.left), right: side(right, values.right) };
}

function differenceText(
  left: MapHandle,
  right: MapHandle,
  typing: MapTyping,
  difference: Difference,
  paint: ReturnType<typeof painter>,
): string {
  const line = (map: MapHandle, value: Uint8Array): string => {
    if (isTyped(typing)) return jsonText(formatted(map, typing, difference.key, value));
    return `key: ${hexLines(difference.key)}  value: ${hexLines(value)}`.replaceAll("\n", " ");
  };
  const removed = difference.left === undefined ? "" : `${paint("red", `- ${line(left, difference.left)}`)}\n`;
  const added = difference.right === undefined ? "" : `${paint("green", `+ ${line(right, difference.right)}`)}\n`;
  return removed + added;
}
