import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ATTR_SIZE } from "./attr.ts";
import { attrUse, INFO_POINTERS } from "./attr-pointers.ts";
import { BPF_MAP_CREATE, BPF_MAP_LOOKUP_BATCH, BPF_MAP_UPDATE_ELEM, BPF_OBJ_GET_INFO_BY_FD } from "./commands.ts";

const COMMANDS_OF_6_18 = 38;
const BPF_LINK_CREATE = 28;
const EMPTY = new DataView(new ArrayBuffer(ATTR_SIZE));

function use(command: number, attr = EMPTY) {
  const found = attrUse(command, attr);
  assert.ok(found, `command ${command}`);
  return found;
}

describe("what bpf(2) does with an attr", () => {
  test("it is known of every command of 6.18, and of no other", () => {
    for (let command = 0; command < COMMANDS_OF_6_18; command++) use(command);
    assert.equal(attrUse(COMMANDS_OF_6_18, EMPTY), undefined);
    assert.equal(attrUse(-1, EMPTY), undefined);
  });

  test("pointers are aligned, ascending and apart from what is written back, all before the end", () => {
    for (let command = 0; command < COMMANDS_OF_6_18; command++) {
      const { pointers, written, end } = use(command);
      assert.deepEqual(
        pointers,
        [...pointers].sort((a, b) => a - b),
      );
      for (const at of pointers) assert.ok(at % 8 === 0 && at + 8 <= end && end <= ATTR_SIZE, `command ${command}`);
      for (const [at, bytes] of written) {
        assert.ok(at % bytes === 0 && at + bytes <= end, `command ${command}`);
        assert.ok(!pointers.some((pointer) => at + bytes > pointer && at < pointer + 8), `command ${command}`);
      }
    }
  });

  test("an update points to key and value, a batch to four places, and info to one", () => {
    assert.deepEqual(use(BPF_MAP_UPDATE_ELEM).pointers, [8, 16]);
    assert.deepEqual(use(BPF_MAP_LOOKUP_BATCH).pointers, [0, 8, 16, 24]);
    assert.deepEqual(use(BPF_OBJ_GET_INFO_BY_FD).pointers, [8]);
  });

  test("what opens fds is said", () => {
    assert.ok(use(BPF_MAP_CREATE).opensFd);
    assert.ok(!use(BPF_MAP_UPDATE_ELEM).opensFd);
  });

  test("the attach type says where a link's pointers are", () => {
    const attr = new DataView(new ArrayBuffer(ATTR_SIZE));
    assert.deepEqual(use(BPF_LINK_CREATE, attr).pointers, []);
    attr.setUint32(8, 42, true);
    assert.deepEqual(use(BPF_LINK_CREATE, attr).pointers, [24, 32, 40]);
  });

  test("the pointers of the infos are aligned", () => {
    for (const offset of Object.values(INFO_POINTERS).flat()) assert.equal(offset % 8, 0);
  });
});
