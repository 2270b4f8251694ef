import { BPF_F_MMAPABLE, BPF_F_NO_PREALLOC } from "../abi/flags.ts";

/** What the library calls by names that a command line does not have, and what that has instead. */
const TRANSLATIONS: readonly (readonly [library: RegExp, command: string])[] = [
  [/: (leave out key, or )?use a layout of [^.]*\./, "."],
  [/'s maxEntries is/, "'s entries are"],
  [/\bmaxEntries\b/g, "entries"],
  [/innerMapFd is [^.]*\./, "it needs inner_map MAP, a map as all those in it shall be."],
  [/(BPF_F_NO_PREALLOC only): add it to flags/, `$1: flags ${BPF_F_NO_PREALLOC}`],
  [/(BPF_F_MMAPABLE only): add it to flags/, `$1: flags 0x${BPF_F_MMAPABLE.toString(16)}`],
  [/with the flag no_prealloc/, `with flags ${BPF_F_NO_PREALLOC}`],
  [/without the flag no_prealloc/, "without BPF_F_NO_PREALLOC"],
  [/, or raise the limit with embedded\(\{ maxMemory \}\)/, ""],
  [/bpf\.maps\(\) lists/, "'mapiary map show' lists"],
];

/** What the library says of a refusal, in the words of the command line. */
export function inCommandWords(text: string): string {
  return TRANSLATIONS.reduce((translated, [library, command]) => translated.replace(library, command), text);
}
