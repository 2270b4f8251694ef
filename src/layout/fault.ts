/**
 * What is wrong with a value: found by walking it, and said once for every layout, so that messages read alike.
 */
export interface Fault {
  /** `TypeError` for a value of the wrong kind, `RangeError` for one of the right kind that does not fit. */
  readonly error: typeof TypeError | typeof RangeError;
  /** Where inside the value: `""` is the value itself, `.hits` a field, `[2].hits` a field of an element. */
  readonly path: string;
  /** The layout at that place and what is wrong there: `u32: 4294967296 is out of range, 0 to 4294967295`. */
  readonly message: string;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const LONGEST_SHOWN = 48;

/** The fault of a value that is not even of the kind that the layout takes. */
export function wrongKind(layout: string, expected: string, value: unknown, hint?: string): Fault {
  const advice = hint === undefined ? "" : ` (${hint})`;
  return { error: TypeError, path: "", message: `${layout}: expected ${expected}, got ${describe(value)}${advice}` };
}

/** The fault of a value of the right kind that does not fit. */
export function outOfRange(layout: string, message: string): Fault {
  return { error: RangeError, path: "", message: `${layout}: ${message}` };
}

/** A fault as seen from one step further out. */
export function within(step: string, fault: Fault): Fault {
  return { error: fault.error, path: step + fault.path, message: fault.message };
}

/** The step into a field: `.hits`, or `["a b"]` for a name that is no identifier. */
export function fieldStep(name: string): string {
  return IDENTIFIER.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** The step into an element: `[2]`. */
export function elementStep(index: number): string {
  return `[${index}]`;
}

/** The error to throw for a fault in a value of the layout named `layout`. */
export function faultError(layout: string, fault: Fault): TypeError | RangeError {
  if (fault.path === "") return new fault.error(fault.message);
  const kind = /^\[\d/.test(fault.path) ? "element" : "field";
  return new fault.error(`${layout}: ${kind} ${fault.path.replace(/^\./, "")}: ${fault.message}`);
}

/** Any error that a layout threw as a fault of the value that it was given. */
export function faultOf(error: unknown): Fault {
  const kind = error instanceof TypeError ? TypeError : RangeError;
  return { error: kind, path: "", message: error instanceof Error ? error.message : String(error) };
}

/** A value in a message: its kind, and itself if it is short. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  switch (typeof value) {
    case "string":
      return `string ${quote(value)}`;
    case "bigint":
      return `bigint ${value}n`;
    case "number":
    case "boolean":
      return `${typeof value} ${value}`;
    case "symbol":
      return String(value);
    case "function":
      return "a function";
    default:
      return describeObject(value);
  }
}

/** A string in a message, in quotes and cut to what fits on a line. */
export function quote(text: string): string {
  if (text.length <= LONGEST_SHOWN) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, LONGEST_SHOWN))}… (${text.length} characters)`;
}

/** The name among `names` that a person most likely meant by `name`, or `undefined` when none is near. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.min(name.length, Math.max(3, Math.floor(name.length / 3)));
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor?.name} of ${value.byteLength} bytes`;
  const name = value.constructor?.name;
  return name === undefined || name === "" || name === "Object" ? "an object" : `an object of class ${name}`;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
