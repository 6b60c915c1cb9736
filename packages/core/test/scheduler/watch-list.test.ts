/** Objects that nobody holds are found, in the middle of a loop, too; those that are held are not touched. */

import { setFlagsFromString } from "node:v8";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { setGarbageCollector, WatchList } from "../../src/scheduler/thread/watch-list.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const job = createContext({}, { microtaskMode: "afterEvaluate" });

let collections = 0;
beforeEach(() => {
  collections = 0;
  setGarbageCollector(() => {
    collections++;
    runInContext("0", job);
    collect();
  });
});
afterEach(() => setGarbageCollector(undefined));

interface Thing {
  readonly index: number;
}

/** Adds things that nobody holds afterwards. */
function addMany(list: WatchList, first: number, count: number): void {
  for (let i = 0; i < count; i++) list.add({ index: first + i });
}

describe("a watch list", () => {
  test("releases what nobody holds, and nothing else", () => {
    const released: number[] = [];
    const list = new WatchList(1000, (index) => void released.push(index), new Int32Array(1000));
    const held: Thing = { index: 5 };
    list.add(held);
    addMany(list, 10, 3);
    expect(list.collectInNeed(1)).toBe(true);
    expect(released).toEqual([10, 11, 12]);
    expect(list.collectInNeed(1)).toBe(false);
    expect([collections, held.index]).toEqual([1, 5]);
  });

  test("collects by itself when much was added, and waits longer while much is held", () => {
    let released = 0;
    const list = new WatchList(800, () => released++, new Int32Array(1000));
    addMany(list, 0, 1000);
    expect(collections).toBe(9);
    expect(released).toBe(900);
    const held = Array.from({ length: 400 }, (_, index) => ({ index }));
    for (const thing of held) list.add(thing);
    const before = collections;
    addMany(list, 0, 400);
    expect(collections - before).toBeLessThanOrEqual(2);
    expect(held.length).toBe(400);
  });

  test("knows an object that has travelled as long as somebody holds it", () => {
    const list = new WatchList(1000, () => {}, new Int32Array(1000));
    const held: Thing = { index: 7 };
    list.add(held);
    expect(list.find(7)).toBeUndefined();
    list.markTravelled(held);
    expect(list.find(7)).toBe(held);
    (() => list.addArrived({ index: 8 }))();
    list.collectInNeed(1);
    expect([list.find(7) === held, list.find(8)]).toEqual([true, undefined]);
  });

  test("at no moment, in which its thread may be killed, does its mirror name a record twice, or one that was released", () => {
    const released: number[] = [];
    const mirror = new Int32Array(100);
    let writes = 0;
    const watched = new Proxy(mirror, {
      set(target, place, value): boolean {
        target[Number(place)] = value as number;
        const named = [...target.subarray(0, target.indexOf(0))];
        expect(new Set(named).size).toBe(named.length);
        expect(named.filter((index) => released.includes(index))).toEqual([]);
        writes++;
        return true;
      },
    });
    const list = new WatchList(1000, (index) => void released.push(index), watched);
    const held = Array.from({ length: 20 }, (_, i) => {
      const thing = { index: 1 + 2 * i };
      list.add(thing);
      addMany(list, 2 + 2 * i, 1);
      return thing;
    });
    list.collectNow();
    expect(released).toHaveLength(20);
    expect([...mirror.subarray(0, 21)]).toEqual([...held.map(({ index }) => index), 0]);
    expect(writes).toBeGreaterThan(40);
  });

  test("an object that arrives after one that was dropped, and not yet found, takes its place", () => {
    const released: number[] = [];
    const list = new WatchList(1000, (index) => void released.push(index), new Int32Array(1000));
    (() => list.addArrived({ index: 3 }))();
    const later: Thing = { index: 3 };
    list.addArrived(later);
    list.collectInNeed(1);
    expect(released).toEqual([3]);
    expect(list.find(3)).toBe(later);
  });

  test("what a released record holds may release others", () => {
    const released: number[] = [];
    const list: WatchList = new WatchList(
      1000,
      (index) => {
        released.push(index);
        if (index === 1) list.sweep();
      },
      new Int32Array(1000),
    );
    addMany(list, 1, 3);
    list.collectInNeed(1);
    expect(released.toSorted()).toEqual([1, 2, 3]);
  });
});
