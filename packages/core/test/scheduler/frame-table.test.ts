import { expect, test } from "vitest";
import { CanceledError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import type { Chan } from "../../src/channel/types.ts";
import { G_WORDS } from "../../src/memory/layout.ts";
import { defer } from "../../src/scheduler/api/defer.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import { type Abandonable, FRAME_GENERATOR, FRAME_PROMISE, Frame } from "../../src/scheduler/frames/frame.ts";
import { FrameTable } from "../../src/scheduler/frames/frame-table.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, singleMachine } from "../support/single-machine.ts";

test("a frame is found at its place until it is removed", () => {
  const table = new FrameTable();
  const [one, other] = [table.take(), table.take()];
  const places = [table.add(one), table.add(other)];
  expect(places.map((place) => table.at(place))).toEqual([one, other]);
  expect(new Set(places).size).toBe(2);
  expect(places).not.toContain(0);
  table.remove(places[0], one);
  expect(() => table.at(places[0])).toThrow(`no frame at place ${places[0]}`);
  expect(table.at(places[1])).toBe(other);
});

test("places and frames are used again, with nothing left of their last goroutine", () => {
  const table = new FrameTable();
  const used = table.take();
  const place = table.add(used);
  used.generator = (function* () {
    yield 1;
  })();
  used.operation = { abandon: () => true };
  used.interrupt = new Error("from before");
  used.cancelTold = true;
  used.wake = () => {};
  used.fail = () => {};
  table.remove(place, used);
  const again = table.take();
  expect(again).toBe(used);
  const fresh = new Frame();
  for (const field of [
    "generator",
    "operation",
    "interrupt",
    "cancelTold",
    "wake",
    "fail",
    "defers",
    "unwinding",
    "exiting",
  ] as const) {
    expect([field, again[field]]).toEqual([field, fresh[field]]);
  }
  expect(table.add(again)).toBe(place);
});

test("a frame that never had a place can be given back", () => {
  const table = new FrameTable();
  const frame = table.take();
  table.remove(0, frame);
  expect(table.take()).toBe(frame);
  expect(() => table.at(0)).toThrow("no frame at place 0");
});

test("every frame with a place is visited, and no other", () => {
  const table = new FrameTable();
  const frames = Array.from({ length: 5 }, () => table.take());
  const places = frames.map((frame) => table.add(frame));
  table.remove(places[2], frames[2]);
  const seen: Frame[] = [];
  table.forEach((frame) => seen.push(frame));
  expect(seen).toEqual([0, 1, 3, 4].map((i) => frames[i]));
});

const DESCRIPTORS = 1000;

/** A table that has so many frames that those which come now are packed. */
function crowdedTable(): FrameTable {
  const table = new FrameTable(DESCRIPTORS);
  for (let i = 0; i < 100_000 && !table.crowded; i++) table.add(new Frame());
  expect(table.crowded).toBe(true);
  return table;
}

/** A frame as parkCurrent leaves it. */
function parkedFrame(table: FrameTable, goroutine: number): Frame {
  const frame = table.take();
  frame.goroutine = goroutine;
  frame.base = DESCRIPTORS + goroutine * G_WORDS;
  frame.kind = FRAME_GENERATOR;
  frame.generator = (function* () {
    yield goroutine;
  })();
  frame.operation = { abandon: () => true };
  return frame;
}

/** Everything a packable frame says. */
function said({ goroutine, base, kind, generator, operation, joins, cancelTold, exiting }: Frame): unknown[] {
  return [goroutine, base, kind, generator, operation, joins, cancelTold, exiting];
}

test("a packed frame comes back as it was, and its object serves another", () => {
  const table = crowdedTable();
  const expected = new Map<number, unknown[]>();
  // More than a chunk of places, and the last of them is in the next chunk.
  for (let goroutine = 1; goroutine <= 9000; goroutine++) {
    const frame = parkedFrame(table, goroutine);
    frame.joins = goroutine % 7;
    frame.cancelTold = goroutine % 2 === 0;
    frame.exiting = goroutine % 3 === 0;
    const place = table.add(frame);
    expected.set(place, said(frame));
    table.pack(place, frame);
    expect(table.take()).toBe(frame);
    table.remove(0, frame);
  }
  for (const [place, words] of expected)
    expect(said(table.at(place)).every((word, i) => Object.is(word, words[i]))).toBe(true);
});

test("a packed frame that was asked for stays an object, and its place is free after its end", () => {
  const table = crowdedTable();
  const frame = parkedFrame(table, 9);
  const place = table.add(frame);
  table.pack(place, frame);
  const again = table.at(place);
  expect(table.at(place)).toBe(again);
  table.remove(place, again);
  expect(() => table.at(place)).toThrow(`no frame at place ${place}`);
});

test("a frame that others may hold, or that has more to it, is not packed", () => {
  const table = crowdedTable();
  const kept: ((frame: Frame) => void)[] = [
    (frame) => {
      frame.lasting = true;
    },
    (frame) => {
      frame.defers = [];
    },
    (frame) => {
      frame.setOwner(1, 2);
    },
    (frame) => {
      frame.kind = FRAME_PROMISE;
    },
  ];
  for (const change of kept) {
    const frame = parkedFrame(table, 1);
    change(frame);
    const place = table.add(frame);
    table.pack(place, frame);
    expect(table.at(place)).toBe(frame);
  }
});

test("of the packed frames, those that are wanted become objects again", () => {
  const table = crowdedTable();
  const operations = new Map<number, Abandonable | undefined>();
  for (let goroutine = 1; goroutine <= 20; goroutine++) {
    const frame = parkedFrame(table, goroutine);
    operations.set(goroutine, frame.operation);
    table.pack(table.add(frame), frame);
  }
  table.unpackWhere((goroutine) => goroutine % 5 === 0);
  const seen: Frame[] = [];
  table.forEach((frame) => seen.push(frame));
  const unpacked = seen.filter(({ goroutine }) => goroutine !== 0);
  expect(unpacked.map(({ goroutine }) => goroutine)).toEqual([5, 10, 15, 20]);
  for (const frame of unpacked) expect(frame.operation).toBe(operations.get(frame.goroutine));
});

test("the lower places, whose frames are never packed, are used first", () => {
  const table = new FrameTable(DESCRIPTORS);
  const first = parkedFrame(table, 1);
  const place = table.add(first);
  while (!table.crowded) table.add(new Frame());
  table.pack(place, first);
  expect(table.at(place)).toBe(first);
  table.remove(place, first);
  expect(table.add(new Frame())).toBe(place);
});

test("frames are packed from some thousands on, and no longer when few are left", () => {
  const table = new FrameTable();
  const placed: [number, Frame][] = [];
  while (!table.crowded && placed.length < 100_000) {
    const frame = table.take();
    placed.push([table.add(frame), frame]);
  }
  expect(placed.length).toBeGreaterThan(1000);
  expect(table.crowded).toBe(true);
  for (const [place, frame] of placed) table.remove(place, frame);
  expect(table.crowded).toBe(false);
});

/** Enough for the later ones to be packed. */
const MANY = 6000;

test("among thousands that are parked, each gets its own value, and defers and gives way as ever", async () => {
  const seen: number[] = [];
  let deferred = 0;
  const waiting = body(function* waiting(number: number, ch: Chan<number>): Goroutine<number> {
    if (number % 100 === 0)
      defer(() => {
        deferred++;
      });
    const first = yield* ch.recv();
    yield* gosched();
    const second = yield* ch.recv();
    seen.push(first as number, second as number);
    return number;
  });
  const main = body(function* main(): Goroutine<boolean> {
    const ch = chan<number>();
    const handles = Array.from({ length: MANY }, (_, number) => spawn(waiting, number, ch));
    yield* gosched();
    for (let value = 0; value < 2 * MANY; value++) yield* ch.send(value);
    let right = true;
    for (const [number, handle] of handles.entries()) right &&= (yield* handle) === number;
    return right;
  });
  expect(await singleMachine().run(main)).toBe(true);
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 2 * MANY }, (_, value) => value));
  expect(deferred).toBe(MANY / 100);
});

test("among thousands that are parked, those that are cancelled are told, and no other", async () => {
  const waiting = body(function* waiting(ch: Chan<string>, ready: WaitGroup): Goroutine<string> {
    ready.done();
    try {
      return (yield* ch.recv()) ?? "closed";
    } catch (error) {
      return error instanceof CanceledError ? "canceled" : String(error);
    }
  });
  const main = body(function* main(): Goroutine<string[]> {
    const ch = chan<string>();
    const ready = new WaitGroup();
    ready.add(MANY);
    const handles = Array.from({ length: MANY }, () => spawn(waiting, ch, ready));
    yield* ready.wait();
    for (let i = 0; i < MANY; i += 1000) handles[i]?.cancel();
    yield* gosched();
    ch.close();
    const outcomes: string[] = [];
    for (const handle of handles) outcomes.push(yield* handle);
    return outcomes;
  });
  const outcomes = (await singleMachine().run(main)) as string[];
  expect(outcomes).toEqual(Array.from({ length: MANY }, (_, i) => (i % 1000 === 0 ? "canceled" : "closed")));
});
