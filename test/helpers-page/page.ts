import type { ProgTypeName } from "mapiary";
import type { HelperName } from "../../src/abi/helpers.ts";
import { type Availability, PROGRAM_TYPES } from "./availability.ts";
import { noteOn } from "./notes.ts";

const INTRODUCTION = `# Which helpers programs can call

The helpers of Linux 6.18 by number, the types of programs that can call each, and whether the embedded kernel has it for
the same types. What its helper does otherwise stands beside it; what is not mentioned it does as Linux does.
[differences.md](differences.md#programs) says why. A program that calls a helper which is not there is refused with
\`ENOTSUPP\`, and the log names it.

Not listed are programs that take BTF of the kernel (\`tracing\`, \`lsm\`, \`ext\`, \`struct_ops\`) and \`lirc_mode2\`, which the
embedded kernel does not verify. Some helpers depend on where a program is to be attached besides: \`bpf_bind\` is for
the hooks of connect alone, \`bpf_setsockopt\` of a \`cgroup_sockopt\` program for the one of setsockopt.

This page is written by \`npm run docs:helpers\`, and a test compares it with both kernels.
`;

/** The page for what two kernels answer. */
export function helpersPage(embedded: Availability, linux: Availability): string {
  const verified = PROGRAM_TYPES.filter((type) => [...embedded.values()].some((types) => types.includes(type)));
  const others = PROGRAM_TYPES.filter((type) => !verified.includes(type)).map((type) => `\`${type}\``);
  const rows = [...embedded.keys()].map((helper, index) => {
    const here = embedded.get(helper) ?? [];
    const there = linux.get(helper) ?? [];
    const expected = there.filter((type) => verified.includes(type));
    const note = here.length === 0 ? "" : noteOn(helper);
    return `| ${index + 1} | \`${helper}\` | ${typesText(there)} | ${hereText(here, expected)} | ${note} |`;
  });
  const also = `Of the types below, the embedded kernel does not verify ${others.join(", ")} either.\n`;
  const head = "| | helper | Linux 6.18 | embedded | |\n|---|---|---|---|---|";
  return [INTRODUCTION, also, head, ...rows, ""].join("\n");
}

function typesText(types: readonly ProgTypeName[]): string {
  if (types.length === 0) return "–";
  if (types.length === PROGRAM_TYPES.length) return "every type";
  const missing = PROGRAM_TYPES.filter((type) => !types.includes(type));
  if (missing.length <= 3) return `every type but ${missing.join(", ")}`;
  return types.join(", ");
}

function hereText(here: readonly ProgTypeName[], expected: readonly ProgTypeName[]): string {
  if (here.length === 0) return "–";
  if (here.join() === expected.join()) return "yes";
  return expected.length === 0 ? "**alone**" : `**${here.join(", ")}**`;
}

/** What a page says that Linux answers. */
export function linuxAvailability(page: string): Availability {
  const availability = new Map<HelperName, readonly ProgTypeName[]>();
  for (const line of page.split("\n")) {
    const [, helper, types] = /^\| \d+ \| `(bpf_\w+)` \| ([^|]*) \|/.exec(line) ?? [];
    if (helper === undefined || types === undefined) continue;
    const but = types.startsWith("every type but ") ? types.slice("every type but ".length).split(", ") : [];
    const isEvery = types.startsWith("every type");
    const named = types === "–" ? [] : types.split(", ");
    const listed = PROGRAM_TYPES.filter((type) => (isEvery ? !but.includes(type) : named.includes(type)));
    availability.set(helper as HelperName, listed);
  }
  return availability;
}
