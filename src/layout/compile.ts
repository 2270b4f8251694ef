import { Code, type Inline } from "./code.ts";
import { type Defined, type Definition, define } from "./define.ts";
import { type Fault, faultError } from "./fault.ts";
import type { Layout } from "./layout.ts";

/** A definition of a layout with parts: its `read` and `write` are composed of theirs, and `inline` is its code. */
export interface CompositeDefinition<T> extends Definition<T> {
  readonly inline: Inline;
  readFault: NonNullable<Definition<T>["readFault"]>;
}

/**
 * Makes a layout with parts. Each of its functions is compiled when it is first called, to straight-line code for its
 * very shape, so that a type of which one function is used costs one. Where the platform forbids code generation, the
 * functions of the definition do the same.
 */
export function defineComposite<T>(definition: CompositeDefinition<T>): Defined<T> {
  const layout = define({ ...definition, ...explained(definition) });
  const { read, write, check } = layout;
  layout.read = onFirstCall(
    () => (generatesCode() ? generateRead(definition) : read),
    (made) => {
      layout.read = made;
    },
  );
  layout.write = onFirstCall(
    () => (generatesCode() ? generateWrite(definition) : write),
    (made) => {
      layout.write = made;
    },
  );
  layout.check = onFirstCall(
    () => (generatesCode() ? generateCheck(definition) : check),
    (made) => {
      layout.check = made;
    },
  );
  return layout;
}

let allowed: boolean | undefined;

/**
 * Whether the platform lets functions be made of text: not under a Content-Security-Policy without `unsafe-eval`, not
 * on some edge platforms, not under `node --disallow-code-generation-from-strings`. Tried once, when first asked.
 */
export function generatesCode(): boolean {
  allowed ??= probe();
  return allowed;
}

/** For tests: says what `generatesCode` answers from here on; `undefined` has it try again. */
export function setCodeGeneration(allow: boolean | undefined): void {
  allowed = allow;
}

function probe(): boolean {
  try {
    return new Function("return true")() === true;
  } catch {
    return false;
  }
}

/** A function that is made when it is first called, and then installed so that later calls reach it directly. */
function onFirstCall<A extends unknown[], R>(
  make: () => (...args: A) => R,
  install: (made: (...args: A) => R) => void,
): (...args: A) => R {
  let made: ((...args: A) => R) | undefined;
  return (...args) => {
    if (made === undefined) {
      made = make();
      install(made);
    }
    return made(...args);
  };
}

function generateRead<T>(definition: CompositeDefinition<T>): Layout<T>["read"] {
  const code = new Code();
  const explain = code.constant(readExplainer(definition));
  code.add("try { const { view } = memory;");
  const result = definition.inline.read(code, { base: "address", offset: 0 });
  return code.build(
    "read(memory, address)",
    `return ${result}; } catch (error) { throw ${explain}(memory, address, error); }`,
  );
}

function generateWrite<T>(definition: CompositeDefinition<T>): Layout<T>["write"] {
  const code = new Code();
  const explain = code.constant(writeExplainer(definition));
  code.add("try { const { view, u8 } = memory;");
  definition.inline.write(code, "value", { base: "address", offset: 0 });
  return code.build("write(memory, address, value)", `} catch (error) { throw ${explain}(value, error); }`);
}

function generateCheck<T>(definition: CompositeDefinition<T>): Layout<T>["check"] {
  const code = new Code();
  const explain = code.constant(writeExplainer(definition));
  code.add("try {");
  definition.inline.write(code, "value");
  return code.build("check(value)", `} catch (error) { throw ${explain}(value, error); }`);
}

/** The composed functions, whose errors say where inside the value, as those of generated code do. */
function explained<T>(definition: CompositeDefinition<T>): Pick<Layout<T>, "read" | "write"> {
  const explainRead = readExplainer(definition);
  const explainWrite = writeExplainer(definition);
  return {
    read(memory, address) {
      try {
        return definition.read(memory, address);
      } catch (error) {
        throw explainRead(memory, address, error);
      }
    },
    write(memory, address, value) {
      try {
        definition.write(memory, address, value);
      } catch (error) {
        throw explainWrite(value, error);
      }
    },
  };
}

/** Fast paths only notice that something is wrong; what and where is found by walking again. */
function readExplainer<T>(definition: CompositeDefinition<T>) {
  return (memory: Parameters<Layout<T>["read"]>[0], address: number, error: unknown): unknown =>
    explanation(definition.name, definition.readFault(memory, address), error);
}

function writeExplainer<T>(definition: CompositeDefinition<T>) {
  return (value: unknown, error: unknown): unknown => explanation(definition.name, definition.fault(value), error);
}

/** The error for a fault; without one, what was thrown, which a value does that is not the same twice. */
function explanation(name: string, fault: Fault | undefined, error: unknown): unknown {
  if (fault !== undefined) return faultError(name, fault);
  return error ?? new TypeError(`${name}: the value changed while it was being written`);
}
