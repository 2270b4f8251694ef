import { array, type Bpf, bytes, cstring, i16, ipv4, type KeyedMap, mac, struct, u8, u32, u64 } from "mapiary";

const ROUNDS = 3000;

/**
 * Uses maps of six other layouts and both types, as a program does that has several maps: what the engine learned of
 * one layout (its inline caches) then no longer holds for all.
 */
export function useOtherLayouts(bpf: Bpf): void {
  const maxEntries = 16;
  const traffic = struct({ packets: u64, bytes: u64 });
  use(
    bpf.createMap({ type: "hash", key: ipv4, value: traffic, maxEntries }),
    (n) => `10.0.0.${n}`,
    (n) => ({ packets: BigInt(n), bytes: 64n }),
  );
  use(
    bpf.createMap({ type: "hash", key: cstring(16), value: u8, maxEntries }),
    (n) => `eth${n}`,
    (n) => n,
  );
  use(
    bpf.createMap({ type: "hash", key: struct({ port: u32, cpu: i16 }), value: bytes(6), maxEntries }),
    (n) => ({ port: n, cpu: -n }),
    (n) => new Uint8Array(6).fill(n),
  );
  use(
    bpf.createMap({ type: "hash", key: mac, value: u64, maxEntries }),
    (n) => `02:00:00:00:00:${n.toString(16).padStart(2, "0")}`,
    (n) => BigInt(n),
  );
  use(
    bpf.createMap({ type: "array", value: array(u32, 4), maxEntries }),
    (n) => n,
    (n) => [n, n, n, n],
  );
  use(
    bpf.createMap({ type: "array", value: u64.number, maxEntries }),
    (n) => n,
    (n) => n,
  );
}

function use<K, V>(map: KeyedMap<K, V>, key: (n: number) => K, value: (n: number) => V): void {
  for (let round = 0; round < ROUNDS; round++) {
    const n = round % map.maxEntries;
    map.set(key(n), value(n));
    if (map.get(key(n)) === undefined) throw new Error(`map ${map.id} lost an entry`);
    if (n === 0) for (const _ of map);
  }
  map.close();
}
