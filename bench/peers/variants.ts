import type { Peer } from "./peer.ts";

type AnyPeer = Peer<number> | Peer<bigint>;

/** How each peer of `roster.ts` that is reached from TypeScript is made. A process loads the code of one, and no other. */
const VARIANTS: Readonly<Record<string, (entries: number) => Promise<AnyPeer>>> = {
  "map-number": async () => (await import("./javascript-map.ts")).javascriptMap((of) => of),
  "map-bigint": async () => (await import("./javascript-map.ts")).javascriptMap(BigInt),
  "embedded-number": async (entries) => (await import("./embedded.ts")).onEmbedded(entries, { values: "number" }),
  "embedded-bigint": async (entries) => (await import("./embedded.ts")).onEmbedded(entries, { values: "bigint" }),
  "embedded-mixed": async (entries) =>
    (await import("./embedded.ts")).onEmbedded(entries, { values: "number", isMixed: true }),
  "linux-number": async (entries) => (await import("./linux.ts")).onLinux(entries, { values: "number" }),
  "linux-bigint": async (entries) => (await import("./linux.ts")).onLinux(entries, { values: "bigint" }),
  "linux-mixed": async (entries) => (await import("./linux.ts")).onLinux(entries, { values: "number", isMixed: true }),
  "npm-bpf-raw": async (entries) => (await import("./npm-bpf.ts")).npmBpfRawMap(entries),
  "npm-bpf-conv": async (entries) => (await import("./npm-bpf.ts")).npmBpfConvMap(entries),
};

/** Makes a peer with room for so many entries. */
export async function makePeer(name: string, entries: number): Promise<Peer<unknown>> {
  const make = VARIANTS[name];
  if (make === undefined) throw new Error(`there is no peer ${name}`);
  // Values come from the peer itself, so what type they are is nobody else's business.
  return (await make(entries)) as Peer<unknown>;
}
