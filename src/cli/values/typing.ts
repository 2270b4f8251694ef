import type { Layout } from "../../layout/layout.ts";
import { CliError } from "../cli-error.ts";
import type { MapHandle } from "../map-reference.ts";
import type { Options } from "../options.ts";
import { type Converter, converterOf } from "./convert.ts";
import { parseLayout } from "./layout-syntax.ts";

/** How the keys or the values of a map are read and written by people. */
export class Typing {
  readonly layout: Layout<unknown>;
  readonly #converter: Converter;

  constructor(layout: Layout<unknown>) {
    this.layout = layout;
    this.#converter = converterOf(layout);
  }

  /** What JSON is for a layout's value. */
  toJson(value: unknown): ReturnType<Converter["toJson"]> {
    return this.#converter.toJson(value as never);
  }

  /** What the layout takes for JSON. */
  fromJson(json: Parameters<Converter["fromJson"]>[0]): unknown {
    return this.#converter.fromJson(json);
  }
}

/** The typing of keys and values, as far as it is known. */
export interface MapTyping {
  readonly key: Typing | undefined;
  readonly value: Typing | undefined;
}

/** How the keys and values of a map are typed by `--key` and `--value`. Throws when a layout has not the map's size. */
export function typingOf(map: MapHandle, options: Options): MapTyping {
  const { keySize, valueSize } = map.info;
  return {
    key: given(map, "key", options.key, keySize),
    value: given(map, "value", options.value, valueSize),
  };
}

function given(map: MapHandle, role: string, text: string | undefined, size: number): Typing | undefined {
  if (text === undefined) return undefined;
  const layout = parseLayout(text, size);
  if (layout.size === size) return new Typing(layout);
  throw new CliError(`--${role} ${text} has ${layout.size} bytes, but a ${role} of map ${map.label} has ${size}`);
}
