/** Options that have to do with the same thing. */
interface OptionGroup {
  readonly title: string;
  readonly options: readonly (readonly [form: string, does: string])[];
}

const NOTHING = "understood, and without effect on maps";

/** What the options do, for the help and the manual page. */
export const OPTION_USAGE: readonly OptionGroup[] = [
  {
    title: "output",
    options: [
      ["-j, --json", "results and errors as JSON"],
      ["-p, --pretty", "JSON for people"],
      ["-f, --bpffs", "show where maps are pinned"],
    ],
  },
  {
    title: "kernel",
    options: [
      ["--kernel NAME", "embedded, which is the default, or linux (MAPIARY_KERNEL)"],
      ["--bpffs=DIR", "where the embedded kernel keeps its maps (MAPIARY_BPFFS)"],
    ],
  },
  {
    title: "keys and values",
    options: [
      ["--key LAYOUT", "how keys are written: u32, ipv4, cidr, struct{src:ipv4,port:u16be}"],
      ["--value LAYOUT", "how values are written: u64, cstring, u32[8], struct{hits:u64,seen:u64}"],
    ],
  },
  {
    title: "export, import and copy",
    options: [
      ["--format NAME", "jsonl or csv; when it is not given, as the name of the file ends"],
      ["--sort", "export in the order of the keys: by number where they are numbers, else by their bytes"],
      ["--resume", "go on where an export, an import or a copy was ended"],
    ],
  },
  {
    title: "watch and top",
    options: [
      ["--interval SECONDS", "how often to look; once a second when it is not given"],
      ["--count N", "how many times to look; without it, until they are ended"],
    ],
  },
  {
    title: "mapiary",
    options: [
      ["-V, --version", "the version"],
      ["-h, --help", "this help"],
    ],
  },
  {
    title: "bpftool",
    options: [
      ["-d, --debug", NOTHING],
      ["-l, --legacy", NOTHING],
      ["-m, --mapcompat", NOTHING],
      ["-n, --nomount", NOTHING],
      ["-L, --use-loader", NOTHING],
      ["-B, --base-btf FILE", NOTHING],
    ],
  },
];
