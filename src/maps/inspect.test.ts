/** What `console.log` shows of maps and kernels. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { bytes, embedded, u32, u64 } from "mapiary";

test("a map is shown by what it is, and not by what lies behind it", () => {
  using bpf = embedded();
  const hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 8 });
  const said = `{\n  name: 'hits',\n  id: 1,\n  type: 'hash',\n  maxEntries: 8,\n`;
  assert.equal(inspect(hits), `HashMap ${said}  key: 'u32',\n  value: 'u64'\n}`);
  hits.close();
  assert.equal(inspect(hits), `HashMap ${said}  closed: true,\n  key: 'u32',\n  value: 'u64'\n}`);
});

test("a map without keys is shown with its values alone", () => {
  using bpf = embedded();
  using jobs = bpf.createMap({ type: "queue", value: bytes(3), maxEntries: 2 });
  assert.match(inspect(jobs), /^Queue \{ name: '', id: 1, type: 'queue', maxEntries: 2, value: 'bytes\(3\)' \}$/);
  using events = bpf.createMap({ type: "ringbuf", maxEntries: 4096 });
  assert.equal(inspect(events), "RingBuf { name: '', id: 2, type: 'ringbuf', maxEntries: 4096 }");
});

test("a kernel is shown by its name and its CPUs", () => {
  using bpf = embedded({ possibleCpus: 4 });
  assert.equal(inspect(bpf), "Bpf { kernel: 'embedded', possibleCpus: 4 }");
});
