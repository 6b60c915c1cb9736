/** SharedArrayBuffers that programs send and forget: on all threads they are let go, and not before. */

import { type Chan, chan, type Runtime } from "heddle";
import { audit, killMachine, leakCheck } from "heddle/testing";
import { describe, expect, test } from "vitest";
import * as bodies from "./fixtures/shared-buffer-bodies.mjs";
import { eventually, PROCS, withRuntime } from "./support/runtimes.ts";

const MB = 1e6;
/** More than there are records of sync objects, which shared buffers count as. */
const MANY = 1_100_000;
/** KiB of buffers that a thread may have as garbage before it collects it, however long that takes (see core's scheduler/thread/shared-buffers.ts). */
const GARBAGE_KIB = 128 * 1024;
/** What a small buffer counts there. */
const SMALL_KIB = 4;

interface Fresh {
  readonly wrong: number;
  readonly rss: number;
}
type View = { view: Int32Array };

const freshForEach = (rt: Runtime, count: number, bytes: number): Promise<Fresh> =>
  rt.run(bodies.freshForEach, count, bytes);

function marked(mark: number, bytes = 1024): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes);
  new Int32Array(buffer)[0] = mark;
  return buffer;
}

/** Ends the threads of all machines. */
function killAll(rt: Runtime): void {
  for (let machine = 1; machine <= 64; machine++) killMachine(rt, machine);
}

/** Records that may be in use when nothing of the program is. */
function mostGarbage(procs: number, kib: number): number {
  return ((procs + 1) * GARBAGE_KIB) / kib;
}

test("more than there are numbers, one after the other", async () => {
  await withRuntime({ procs: 1 }, async (rt) => {
    expect(await rt.run(bodies.throughChannel, MANY)).toBe(0);
    expect(audit(rt).objects).toBeLessThan(mostGarbage(1, SMALL_KIB));
  });
});

describe.each(PROCS)("on %i processors", (procs) => {
  test("a fresh one for each task: resident memory and the numbers in use stay flat", async () => {
    await withRuntime({ procs }, async (rt) => {
      const first = await freshForEach(rt, 80_000, 1024);
      const last = await freshForEach(rt, 160_000, 1024);
      expect([first.wrong, last.wrong]).toEqual([0, 0]);
      expect(audit(rt).objects).toBeLessThan(mostGarbage(procs, SMALL_KIB));
      // 160,000 buffers that nobody lets go are 400 MB.
      expect(last.rss - first.rss).toBeLessThan(300 * MB);
    });
  });

  test("of large ones fewer stay", async () => {
    await withRuntime({ procs }, async (rt) => {
      expect((await freshForEach(rt, 3000, 2 ** 20)).wrong).toBe(0);
      expect(audit(rt).objects).toBeLessThan(mostGarbage(procs, 1024));
    });
  });

  test("the host sends a fresh one for each task, and forgets it", async () => {
    await withRuntime({ procs }, async (rt) => {
      const count = (_: unknown, i: number): number => i;
      for (let round = 0; round < 20; round++) {
        const marks = await Promise.all(
          Array.from({ length: 500 }, (_, i) => rt.run(bodies.markOf, marked(i, 64))),
        );
        expect(marks).toEqual(Array.from({ length: 500 }, count));
      }
      await leakCheck(rt);
      expect(audit(rt).problems).toEqual([]);
    });
  });

  test("what lies in a channel stays, though nobody holds it and much is let go meanwhile", async () => {
    await withRuntime({ procs }, async (rt) => {
      const ch = rt.enter(() => chan<View>(100));
      await rt.run(bodies.leave, ch, 100);
      await freshForEach(rt, 20_000, 64);
      const marks = (body: unknown, count: number): Promise<number[]> =>
        rt.run(body as (ch: Chan<View>, count: number) => number[], ch, count);
      expect(await marks(bodies.marksIn, 40)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
      expect(await marks(bodies.marksByBlocking, 40)).toEqual(Array.from({ length: 40 }, (_, i) => i + 41));
      for (let mark = 81; mark <= 100; mark++) expect((await ch.recv())?.view[0]).toBe(mark);
    });
  });

  test("one that is received twice is one object, on each thread", async () => {
    await withRuntime({ procs }, async (rt) => {
      const ch = rt.enter(() => chan<SharedArrayBuffer>(2));
      const buffer = marked(1);
      for (let round = 0; round < 5; round++) {
        ch.trySend(buffer);
        ch.trySend(buffer);
        expect(await rt.run(bodies.isSameTwice, ch)).toBe(true);
        ch.trySend(buffer);
        expect(await ch.recv()).toBe(buffer);
      }
    });
  });

  test("a thread that dies gives its own back", async () => {
    await withRuntime({ procs }, async (rt) => {
      const { ready, end } = rt.enter(() => ({ ready: chan<number>(), end: chan<number>() }));
      const before = audit(rt).objects;
      const lost = rt.run(bodies.holdOwn, 500, ready, end);
      void lost.catch(() => {});
      await ready.recv();
      expect(audit(rt).objects).toBeGreaterThanOrEqual(before + 500);
      killAll(rt);
      await expect(lost).rejects.toThrow(/is lost/);
      await eventually(() => audit(rt).objects < before + 100);
    });
  });

  test("a thread that dies takes nobody else's with it", async () => {
    await withRuntime({ procs }, async (rt) => {
      const { ready, end } = rt.enter(() => ({ ready: chan<number>(), end: chan<number>() }));
      const buffers = Array.from({ length: 50 }, (_, i) => marked(i));
      const hold = (): Promise<number[]> => rt.run(bodies.hold, buffers, ready, end) as Promise<number[]>;
      const lost = hold();
      void lost.catch(() => {});
      await ready.recv();
      killAll(rt);
      await expect(lost).rejects.toThrow(/is lost/);
      const again = hold();
      await ready.recv();
      end.close();
      expect(await again).toEqual(buffers.map((_, i) => i));
    });
  });

  test("a growable one grows for all", async () => {
    await withRuntime({ procs }, async (rt) => {
      const Shared = SharedArrayBuffer as unknown as new (
        bytes: number,
        options: { maxByteLength: number },
      ) => SharedArrayBuffer;
      const buffer = new Shared(8, { maxByteLength: 64 });
      const grow = bodies.grow as (buffer: SharedArrayBuffer, bytes: number) => SharedArrayBuffer;
      expect(await rt.run(grow, buffer, 48)).toBe(buffer);
      expect(buffer.byteLength).toBe(48);
    });
  });
});
