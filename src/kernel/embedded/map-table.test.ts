import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EmbeddedMap } from "./map-ops.ts";
import { MapTable } from "./map-table.ts";

/** As much of a map as the table touches. */
class StubMap {
  id = 0;
  references = 1;
  isFree = false;

  free(): void {
    this.isFree = true;
  }
}

function add(table: MapTable): StubMap {
  const map = new StubMap();
  table.add(map as unknown as EmbeddedMap);
  return map;
}

function put(table: MapTable, map: StubMap): void {
  table.put(map as unknown as EmbeddedMap);
}

describe("a map table", () => {
  test("numbers maps from 1 on, and no number twice", () => {
    const table = new MapTable();
    assert.equal(add(table).id, 1);
    const second = add(table);
    assert.equal(second.id, 2);
    put(table, second);
    assert.equal(add(table).id, 3);
  });

  test("finds a map by its id, and the lowest id from one on", () => {
    const table = new MapTable();
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
    const table = new MapTable();
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
