import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KernelObject } from "./kernel-object.ts";
import { ObjectTable } from "./object-table.ts";

class StubMap implements KernelObject {
  readonly kind = "map";
  id = 0;
  references = 1;
  isFree = false;

  free(): void {
    this.isFree = true;
  }
}

function add(table: ObjectTable<StubMap>): StubMap {
  const map = new StubMap();
  table.add(map);
  return map;
}

function put(table: ObjectTable<StubMap>, map: StubMap): void {
  table.put(map);
}

describe("an object table", () => {
  test("numbers maps from 1 on, and no number twice", () => {
    const table = new ObjectTable<StubMap>();
    assert.equal(add(table).id, 1);
    const second = add(table);
    assert.equal(second.id, 2);
    put(table, second);
    assert.equal(add(table).id, 3);
  });

  test("finds a map by its id, and the lowest id from one on", () => {
    const table = new ObjectTable<StubMap>();
    const maps = [add(table), add(table), add(table)];
    assert.equal(table.get(2), maps[1]);
    put(table, maps[1] as StubMap);
    assert.equal(table.get(2), undefined);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((id) => table.idFrom(id)),
      [1, 1, 3, 3, undefined],
    );
  });

  test("frees a map with its last reference", () => {
    const table = new ObjectTable<StubMap>();
    const map = add(table);
    map.references = 2;
    put(table, map);
    assert.ok(!map.isFree);
    assert.equal(table.get(1), map);
    put(table, map);
    assert.ok(map.isFree);
    assert.equal(table.get(1), undefined);
  });
});
