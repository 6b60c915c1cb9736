import { expect, test } from "vitest";
import { Frame, FrameTable } from "../../src/scheduler/frame.ts";

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
