/**
 * No goroutine that can run waits for ever, wherever it stands: made ready, created, in the ring, given way, in the global queue. One machine and a host in one thread, so that every order is repeatable.
 * sysmon does not run here: a test that needs it sets the flag that sysmon would set.
 */

import { describe, expect, test } from "vitest";
import { DETACHED } from "../../src/goroutine/descriptor.ts";
import { P_PREEMPT, P_TICK } from "../../src/memory/layout.ts";
import { go, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { checkpoint, gosched, shouldYield } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";

/** Rounds after which the back of the line is looked at, whatever else there is. */
const GLOBAL_EVERY = 61;

/** What sysmon does when a slice is used up. */
function endSlice({ memory }: SingleMachine): void {
  memory.i32[memory.layout.processors + P_PREEMPT] = 1;
}
const ticks = ({ memory }: SingleMachine): number => memory.i32[memory.layout.processors + P_TICK];

/** What happened, in order; each test writes its own. */
let events: string[] = [];
const count = (event: string): number => events.filter((one) => one === event).length;

const notes = body(function notes(event: string): void {
  events.push(event);
});

/** Publishes a goroutine as the host does, but at once. */
function submit({ host }: SingleMachine, event: string): void {
  host.globalQueue.push(host.launch(host.functionId(notes as never), [event], DETACHED));
}

function begin(options: Parameters<typeof singleMachine>[0] = {}): SingleMachine {
  events = [];
  return singleMachine(options);
}

describe("a chain of goroutines that start each other", () => {
  let legsLeft = 0;
  /** Called at each leg. */
  let onLeg: (left: number) => void = () => {};
  const relay = body(function* relay(): Goroutine<void> {
    while (legsLeft-- > 0) {
      events.push("leg");
      onLeg(legsLeft);
      yield* spawn(notes, "child");
    }
  });

  test("shares one time slice", async () => {
    const machine = begin();
    legsLeft = 50;
    onLeg = () => {};
    await machine.run(relay);
    // The first two slices are those in which the machine meets the two functions.
    expect(ticks(machine)).toBeLessThanOrEqual(3);
  });

  test("lets others run when the slice is used up, and not before", async () => {
    const machine = begin();
    legsLeft = 40;
    onLeg = (left) => {
      if (left === 20) endSlice(machine);
    };
    const main = body(function* main(): Goroutine<void> {
      spawn(notes, "other");
      yield* spawn(relay);
    });
    // A machine that meets a function puts its goroutine at the end of the ring.
    const legs = legsLeft;
    legsLeft = 1;
    await machine.run(relay);
    events = [];
    legsLeft = legs;
    await machine.run(main);
    const before = events.slice(0, events.indexOf("other")).filter((event) => event === "leg").length;
    expect(before).toBeGreaterThanOrEqual(19);
    expect(before).toBeLessThanOrEqual(22);
  });

  test("does not keep out what the host starts, though nobody ends its slice", async () => {
    const machine = begin();
    legsLeft = 1000;
    onLeg = (left) => {
      if (left === 900) submit(machine, "from the host");
    };
    await machine.run(relay);
    expect(count("from the host")).toBe(1);
    const waited = events.indexOf("from the host") - 2 * 100;
    // Each leg is two rounds and two events.
    expect(waited).toBeLessThanOrEqual(GLOBAL_EVERY + 2);
  });
});

describe("two kinds of work at once", () => {
  test("goroutines that were woken and goroutines that are new take turns", async () => {
    const machine = begin();
    const waits = body(function* waits(gate: WaitGroup): Goroutine<void> {
      yield* gate.wait();
      events.push("woken");
    });
    const main = body(function* main(): Goroutine<void> {
      const gate = new WaitGroup();
      gate.add(1);
      const waiting = Array.from({ length: 40 }, () => spawn(waits, gate));
      yield* gosched();
      const created = Array.from({ length: 40 }, () => spawn(notes, "new"));
      gate.done();
      for (const handle of [...waiting, ...created]) yield* handle;
    });
    await machine.run(main);
    expect([count("woken"), count("new")]).toEqual([40, 40]);
    // New ones have seven rounds of eight; neither waits for longer than that while there are both.
    const both = events.slice(0, Math.min(events.lastIndexOf("woken"), events.lastIndexOf("new")));
    for (let i = 0; i + 9 <= both.length; i++) {
      expect(new Set(both.slice(i, i + 9))).toEqual(new Set(["woken", "new"]));
    }
  });

  test("one that gives way runs again, however many new ones there are", async () => {
    const machine = begin();
    const yields = body(function* yields(times: number): Goroutine<void> {
      for (let i = 0; i < times; i++) {
        yield* gosched();
        events.push("again");
      }
    });
    const main = body(function* main(): Goroutine<void> {
      const one = spawn(yields, 10);
      for (let i = 0; i < 20 * GLOBAL_EVERY; i++) go(notes, "new");
      yield* one;
    });
    await machine.run(main);
    expect(count("again")).toBe(10);
  });

  test("new ones run, however many give way all the time", async () => {
    const machine = begin();
    let stop = false;
    const yields = body(function* yields(): Goroutine<void> {
      while (!stop) {
        events.push("turn");
        yield* gosched();
      }
    });
    const stops = body(function stops(): void {
      stop = true;
    });
    const main = body(function* main(): Goroutine<void> {
      const all = Array.from({ length: 10 }, () => spawn(yields));
      yield* gosched();
      spawn(stops);
      for (const handle of all) yield* handle;
    });
    await machine.run(main);
    expect(count("turn")).toBeLessThan(10 * GLOBAL_EVERY);
  });

  test("those that give way and those of the host take turns", async () => {
    const machine = begin();
    const yields = body(function* yields(): Goroutine<void> {
      while (count("from the host") < 20) {
        events.push("turn");
        yield* gosched();
      }
    });
    const outcome = machine.host.run(yields as never, []);
    for (let i = 0; i < 20; i++) submit(machine, "from the host");
    await machine.settle();
    await outcome;
    expect(count("turn")).toBeLessThanOrEqual(20 * 2 + GLOBAL_EVERY);
  });

  test("all who give way have their turn before anyone has it again", async () => {
    const machine = begin();
    const yields = body(function* yields(name: string): Goroutine<void> {
      for (let i = 0; i < 5; i++) {
        events.push(name);
        yield* gosched();
      }
    });
    const main = body(function* main(): Goroutine<void> {
      const all = ["a", "b", "c"].map((name) => spawn(yields, name));
      for (const handle of all) yield* handle;
    });
    await machine.run(main);
    for (let round = 0; round < 5; round++) {
      expect(events.slice(3 * round, 3 * round + 3).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
        "a",
        "b",
        "c",
      ]);
    }
  });
});

describe("giving way", () => {
  test("checkpoint goes on at once, until the slice is used up, and then once", async () => {
    const machine = begin();
    const hog = body(function* hog(): Goroutine<string[]> {
      const seen: string[] = [];
      go(notes, "other");
      for (let i = 0; i < 6; i++) {
        if (i === 3) endSlice(machine);
        seen.push(`${i} ${shouldYield()} ${count("other")}`);
        yield* checkpoint();
      }
      return seen;
    });
    expect(await machine.run(hog)).toEqual([
      "0 false 0",
      "1 false 0",
      "2 false 0",
      "3 true 0",
      "4 false 1",
      "5 false 1",
    ]);
  });

  test("hogs with checkpoints on one processor, and one that comes late", async () => {
    const machine = begin();
    let stop = false;
    const hog = body(function* hog(name: string): Goroutine<void> {
      for (let i = 0; !stop; i++) {
        if (i % 100 === 99) endSlice(machine);
        events.push(name);
        yield* checkpoint();
      }
    });
    const main = body(function* main(): Goroutine<void> {
      const hogs = ["a", "b", "c"].map((name) => spawn(hog, name));
      yield* spawn(
        body(function late(): void {
          stop = true;
        }),
      );
      for (const handle of hogs) yield* handle;
    });
    await machine.run(main);
    expect(events.length).toBeLessThan(100 * GLOBAL_EVERY);
  });
});

test("hogs that come after many short goroutines do not keep the event loop for longer than a slice", async () => {
  let now = 1000;
  const machine = begin({ clock: () => now });
  const short = body(function short(): void {
    now += 0.001;
  });
  let slices = 0;
  const hog = body(function* hog(): Goroutine<void> {
    while (slices < 100) {
      now += 10;
      slices++;
      endSlice(machine);
      yield* checkpoint();
    }
  });
  const main = body(function* main(): Goroutine<void> {
    for (let i = 0; i < 1000; i++) yield* spawn(short);
    go(hog);
  });
  await machine.run(main);
  while (slices < 100) {
    const before = slices;
    machine.machine.run();
    expect(slices - before).toBeLessThanOrEqual(1);
  }
});

describe("queues that overflow", () => {
  test.each([2, 4, 256])("a ring of %i spills, and everybody runs once", async (ringSize) => {
    const machine = begin({ ringSize });
    const ran = new Map<number, number>();
    const runs = body(function runs(i: number): void {
      ran.set(i, (ran.get(i) ?? 0) + 1);
    });
    const main = body(function* main(): Goroutine<void> {
      const all = Array.from({ length: 1000 }, (_, i) => spawn(runs, i));
      for (const handle of all) yield* handle;
    });
    await machine.run(main);
    expect(ran.size).toBe(1000);
    expect([...ran.values()].every((times) => times === 1)).toBe(true);
  });
});
