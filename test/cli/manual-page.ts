import { MAP_USAGE } from "../../src/cli/map-usage.ts";
import { OPTION_USAGE } from "../../src/cli/option-usage.ts";

/** The manual page, in the macros of man(7): docs/mapiary.1. */
export function manualPage(): string {
  const sections: readonly [title: string, lines: readonly string[]][] = [
    ["NAME", ["mapiary \\- eBPF maps on the embedded kernel and on Linux"]],
    [
      "SYNOPSIS",
      [
        ".B mapiary\n[\\fIOPTIONS\\fR] \\fBmap\\fR \\fICOMMAND\\fR\n.br",
        ".B mapiary\n[\\fIOPTIONS\\fR] \\fBbatch file\\fR \\fIFILE\\fR\n.br",
        ".B mapiary\n\\fBtypes\\fR { MAP | FILE [NAME...] } | \\fBtour\\fR | \\fBcompletion\\fR { bash | zsh | fish } | \\fBversion\\fR | \\fBhelp\\fR",
      ],
    ],
    [
      "DESCRIPTION",
      [
        "mapiary makes, shows, reads, writes and watches eBPF maps. It speaks the grammar of",
        ".BR bpftool-map (8)",
        "on two kernels: the embedded one, which is the map subsystem of Linux in this program, needs no privilege and keeps",
        "its maps in a directory; and the running Linux kernel.",
      ],
    ],
    [
      "MAP COMMANDS",
      MAP_USAGE.map(({ name, synopsis, does }) => `.TP\n${bold(name)} ${italic(synopsis)}\n${escaped(does)}`),
    ],
    ["WORDS", WORDS.map(([word, text]) => `.TP\n${bold(word)}\n${escaped(text)}`)],
    [
      "OPTIONS",
      OPTION_USAGE.flatMap(({ title, options }) => [
        `.SS ${escaped(sentence(title))}`,
        ...options.map(([option, does]) => `.TP\n${bold(option)}\n${escaped(sentence(does))}.`),
      ]),
    ],
    ["ENVIRONMENT", ENVIRONMENT.map(([name, text]) => `.TP\n${bold(name)}\n${escaped(text)}`)],
    [
      "EXIT STATUS",
      [
        "0 when all is done. 255 when the command line is wrong. 256 less the number of its error when a kernel refused, as",
        "bpftool has it: 239 is EEXIST, 254 is ENOENT. \\fBmap diff\\fR ends with 1 when the maps differ.",
      ],
    ],
    ["EXAMPLES", EXAMPLES.map((line) => `.nf\n${escaped(line)}\n.fi`)],
    [
      "SEE ALSO",
      [
        ".BR bpftool-map (8),",
        ".BR bpf (2),",
        "docs/cli.md in the package, which lists where mapiary differs from bpftool.",
      ],
    ],
  ];
  const text = sections.map(([title, lines]) => `.SH ${title}\n${lines.join("\n")}\n`).join("");
  return `.TH MAPIARY 1 "" mapiary "User Commands"\n${text}`;
}

const WORDS = [
  ["MAP", "[embedded | linux] { id MAP_ID | pinned FILE | name MAP_NAME }"],
  [
    "DATA",
    "As many bytes as the key or value has, in decimal, 0x hexadecimal or octal, or in hexadecimal after hex; or one word for " +
      "all of them: a number, an address, a network, or what its type has.",
  ],
  [
    "VALUE",
    "DATA; a MAP for a map of maps; { id ID | pinned FILE | tag TAG | name NAME } of a program for a prog_array.",
  ],
  ["UPDATE_FLAGS", "any, exist (only what is there) or noexist (only what is not)."],
] as const;

const ENVIRONMENT = [
  ["MAPIARY_KERNEL, MAPIARY_BPFFS", "What --kernel and --bpffs are when they are not given."],
  ["XDG_RUNTIME_DIR", "Where the embedded kernel keeps its maps when nobody says where, in mapiary/bpffs."],
  ["XDG_STATE_HOME", "Where it is noted how far a transfer is, in mapiary."],
  ["NO_COLOR, FORCE_COLOR", "No colours; colours where there is no terminal."],
] as const;

const EXAMPLES = [
  "mapiary map create hits type hash key 4 value 8 entries 1024 name hits",
  "mapiary map update pinned hits key 5 value 100",
  "mapiary --key u32 --value u64 map export pinned hits file hits.jsonl",
  "mapiary map copy linux name hits to embedded pinned hits",
];

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

function italic(text: string): string {
  return text === "" ? "" : `\\fI${escaped(text)}\\fR`;
}

/** `-` would become a hyphen, and a dot or a quote at the beginning of a line a command. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
}
