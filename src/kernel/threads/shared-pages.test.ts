import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/seeded.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import { Agents } from "./agents.ts";
import { CONTROL, Control, ControlLock } from "./control.ts";
import { SharedPages } from "./shared-pages.ts";

const MIB = 2 ** 20;

/** A memory of 1 MiB, and the pages of two agents that share it. */
function scene(): { readonly control: Control; readonly agents: readonly { number: number; pages: SharedPages }[] } {
  const control = Control.create(MIB, 1);
  SharedPages.initialize(control);
  const table = new Agents(control);
  const agents = [0, 0].map((handle) => {
    const { number } = table.join(handle, 0);
    const agent = {
      number,
      fence: 0,
      waitFor: (owner: number, attempt: number) => table.waitFor(owner, attempt),
      isDead: (other: number) => table.isDead(other),
    };
    return { number, pages: new SharedPages(control, new ControlLock(control, agent), number) };
  });
  return { control, agents };
}

describe("the pages of a memory that threads share", () => {
  test("are never given to two, say whether they are zero, and are all free again at the end", () => {
    const step = fc.record({ agent: fc.nat(1), pages: fc.integer({ min: 1, max: 40 }), release: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { agents } = scene();
        const [first] = agents as [(typeof agents)[0]];
        const whole = first.pages.largest;
        const taken: { start: number; length: number; by: number }[] = [];
        const isTaken = new Uint8Array(MIB / PAGE_SIZE);
        const isWritten = new Uint8Array(MIB / PAGE_SIZE);
        for (const { agent: by, pages: length, release } of steps) {
          const { pages, number } = agents[by] as (typeof agents)[0];
          const { largest } = pages;
          const start = pages.allocate(length * PAGE_SIZE - release);
          assert.equal(start === 0, largest < length * PAGE_SIZE);
          if (start !== 0) {
            const at = start / PAGE_SIZE;
            assert(start >= CONTROL.PAGE_MAP && at + length <= isTaken.length);
            assert(isTaken.subarray(at, at + length).every((taken) => taken === 0));
            for (let page = at; page < at + length; page++) {
              if (page * PAGE_SIZE >= pages.writtenEnd) assert.equal(isWritten[page], 0);
            }
            assert.equal(pages.ownerOf(start), number);
            assert.equal(pages.sizeOf(start), length * PAGE_SIZE);
            isTaken.fill(1, at, at + length);
            isWritten.fill(1, at, at + length);
            taken.push({ start, length, by });
          }
          const [given] = taken.splice(release % 8, 1);
          if (given === undefined) continue;
          const { pages: others } = agents[1 - given.by] as (typeof agents)[0];
          others.release(given.start, given.length * PAGE_SIZE);
          assert.notEqual(others.ownerOf(given.start), 0, "nobody gives back what is another's");
          (agents[given.by] as (typeof agents)[0]).pages.release(given.start, given.length * PAGE_SIZE);
          isTaken.fill(0, given.start / PAGE_SIZE, given.start / PAGE_SIZE + given.length);
        }
        for (const { start, length, by } of taken) {
          (agents[by] as (typeof agents)[0]).pages.release(start, length * PAGE_SIZE);
        }
        assert.equal(first.pages.largest, whole);
      }),
    );
  });

  test("of an agent that has left are those of a memory that nobody else has", () => {
    const { agents } = scene();
    const [one, two] = agents as [(typeof agents)[0], (typeof agents)[0]];
    const kept = two.pages.allocate(PAGE_SIZE);
    one.pages.leave(MIB);
    const { largest } = two.pages;
    assert.notEqual(one.pages.allocate(MIB / 2), 0);
    one.pages.release(kept, PAGE_SIZE);
    assert.equal(two.pages.largest, largest);
    assert.equal(two.pages.ownerOf(kept), two.number);
  });
});
