import type { CliKernel } from "./cli-kernel.ts";

/** Where maps are pinned, by their ids. */
export type Pins = ReadonlyMap<number, readonly string[]>;

/** Finds every pin of a map in the BPF filesystems of a kernel, as far as they may be read. */
export function pinsOf(cli: CliKernel): Pins {
  const pins = new Map<number, string[]>();
  for (const mount of cli.mounts()) collect(cli, mount, pins);
  return pins;
}

function collect(cli: CliKernel, directory: string, pins: Map<number, string[]>): void {
  const names = cli.kernel.readdir(directory);
  if (typeof names === "number") return;
  for (const name of names) {
    const path = `${directory}/${name}`;
    const id = mapIdAt(cli, path);
    if (id === undefined) collect(cli, path, pins);
    else pins.set(id, [...(pins.get(id) ?? []), path]);
  }
}

/** The id of the map that is pinned at a path; `undefined` when none is. */
function mapIdAt(cli: CliKernel, path: string): number | undefined {
  const { sys } = cli;
  const fd = sys.objGet(path);
  if (fd < 0) return undefined;
  const info = String(cli.kernel.fdinfo(fd));
  sys.close(fd);
  const id = /^map_id:\t(\d+)$/m.exec(info)?.[1];
  return id === undefined ? undefined : Number(id);
}
