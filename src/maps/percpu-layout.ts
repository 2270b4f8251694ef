import { array } from "../layout/array.ts";
import { addressOf, type Code, type Place } from "../layout/code.ts";
import { defineComposite } from "../layout/compile.ts";
import { faultFinder, inlineOf, readFaultIn, requireLayout } from "../layout/define.ts";
import { outOfRange, wrongKind } from "../layout/fault.ts";
import type { Layout } from "../layout/layout.ts";
import { percpuValues } from "./percpu-values.ts";

/** The multiple of bytes that each CPU's value takes: `kernel/bpf/syscall.c: bpf_map_value_size`, Linux 6.18. */
const SLOT = 8;

/**
 * One value for each possible CPU, as a kernel reads and writes them at once: each in a slot rounded up to 8 bytes, the
 * rest of which is zero. Any other number of values than `cpus` throws a `RangeError` when it is written.
 */
export function percpu<T>(of: Layout<T>, cpus: number): Layout<T[]> {
  requireLayout(of, "percpu");
  const name = `percpu(${of.name}, ${cpus})`;
  const slot = inSlot(of);
  const slots = array(slot, cpus);
  const findFault = faultFinder(slots);
  return defineComposite<T[]>({
    name,
    size: slots.size,
    align: SLOT,
    inline: {
      weight: inlineOf(slots)?.weight ?? cpus,
      read: (code, place) => readInline(code, slot, cpus, place),
      write: (code, value, place) => code.write(slots, value, place),
    },
    read(memory, address) {
      return percpuValues(Array.from({ length: cpus }, (_, cpu) => slot.read(memory, address + cpu * slot.size)));
    },
    write: (memory, address, values) => slots.write(memory, address, values),
    fault(values) {
      if (!Array.isArray(values)) return wrongKind(name, `an array of ${cpus}, a value for each possible CPU`, values);
      if (values.length === cpus) return findFault(values);
      return outOfRange(name, `expected ${cpus} values, one for each possible CPU, got ${values.length}`);
    },
    readFault: (memory, address) => readFaultIn(slots, memory, address),
  });
}

/** The code that reads the values of all CPUs. */
function readInline(code: Code, slot: Layout<unknown>, cpus: number, place: Place): string {
  const [values, cpu, at] = [code.variable(), code.variable(), code.variable()];
  code.add(`const ${values} = ${code.constant(percpuValues)}([]);`);
  code.add(`for (let ${cpu} = 0; ${cpu} < ${cpus}; ${cpu}++) {`);
  code.add(`const ${at} = ${addressOf(place)} + ${cpu} * ${slot.size};`);
  code.add(`${values}[${cpu}] = ${code.read(slot, { base: at, offset: 0 })}; }`);
  return values;
}

/** A layout with zeros behind it up to whole slots. */
function inSlot<T>(of: Layout<T>): Layout<T> {
  const { name, size: used } = of;
  const size = Math.ceil(used / SLOT) * SLOT;
  if (size === used) return of;
  return defineComposite<T>({
    name,
    size,
    align: SLOT,
    inline: {
      weight: inlineOf(of)?.weight ?? 1,
      read: (code, place) => code.read(of, place),
      write(code, value, place) {
        code.write(of, value, place);
        if (place !== undefined) code.zero({ base: place.base, offset: place.offset + used }, size - used);
      },
    },
    read: (memory, address) => of.read(memory, address),
    write(memory, address, value) {
      of.write(memory, address, value);
      memory.u8.fill(0, address + used, address + size);
    },
    fault: faultFinder(of),
    readFault: (memory, address) => readFaultIn(of, memory, address),
  });
}
