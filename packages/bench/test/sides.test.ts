import { type Runtime, start } from "heddle";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as channels from "../dist/bodies/channels.js";
import * as goroutines from "../dist/bodies/goroutines.js";
import * as locks from "../dist/bodies/locks.js";
import { parkAndWake } from "../dist/bodies/parked.js";
import { bytesOf, lengthOf, sendBack } from "../dist/bodies/work.js";
import * as fibers from "../dist/peers/fibers.js";
import { openMovingPiscina } from "../dist/peers/piscina.js";
import { submitAtOnce } from "../dist/peers/pool.js";
import { allPools, loadPool } from "../dist/peers/pools.js";
import * as promises from "../dist/peers/promises.js";

/** Milliseconds that passed, whatever their number. */
const aTime = expect.toSatisfy((ms) => typeof ms === "number" && ms >= 0);

describe("every pool", () => {
  test.each(allPools)("%s does tiny tasks and work, and ends", async (name) => {
    await using pool = (await loadPool(name)).open();
    expect(await submitAtOnce(pool, 50)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(await pool.run("burnSteps", 10)).toEqual(expect.any(Number));
  });

  test("Piscina moves bytes there and back", async () => {
    await using pool = openMovingPiscina();
    const sent = new Uint8Array([1, 2, 3]);
    expect(await pool.moveThereAndBack(sent)).toEqual(new Uint8Array([1, 2, 3]));
    expect(sent.length).toBe(0);
  });
});

describe("in one thread", () => {
  test.each([
    ["promises", promises],
    ["fibers", fibers],
  ])("%s do what goroutines do", async (_, peer) => {
    expect(await peer.timeFib(8)).toEqual(aTime);
    expect(await peer.takeTurns(3, 10)).toEqual(aTime);
    expect(await peer.pingPong(20)).toEqual(aTime);
    expect(await peer.produceAndConsume(1, 50)).toEqual(aTime);
    expect(await peer.produceAndConsume(16, 50)).toEqual(aTime);
    expect(await peer.sleepTogether(3, 1)).toBeGreaterThan(0);
    expect(await peer.parkedBytes(10)).toEqual(expect.any(Number));
  });

  test("promises and fibers in batches", async () => {
    expect(await promises.callOneAtATime(10)).toEqual(aTime);
    expect(await promises.callInBatches(10, 2)).toEqual(aTime);
    expect(await fibers.forkOneAtATime(10)).toEqual(aTime);
    expect(await fibers.forkInBatches(10, 2)).toEqual(aTime);
    expect(await fibers.lockAlone(10)).toEqual(aTime);
  });
});

describe("the bodies", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await start({ procs: 2 });
  });
  afterAll(() => runtime.close());

  test("of goroutines", async () => {
    expect(await runtime.run(goroutines.joinResults, 10, 2)).toEqual(aTime);
    expect(await runtime.run(goroutines.receiveResults, 10, 2)).toEqual(aTime);
    expect(await runtime.run(goroutines.takeTurns, 3, 5)).toEqual(aTime);
  });

  test("of channels", async () => {
    expect(await runtime.run(channels.shareChannel, 4, 40)).toEqual(aTime);
    expect(await runtime.run(channels.shareChannel, 0, 40)).toEqual(aTime);
    expect(await runtime.run(channels.selectFromProducers, 40)).toEqual(aTime);
    expect(await runtime.run(channels.produceAndConsume, 0, 40)).toEqual(aTime);
  });

  test("of locks and the parked", async () => {
    expect(await runtime.run(locks.contend, 4, 40)).toEqual(aTime);
    const parked = await runtime.run(parkAndWake, 20);
    expect(parked).toEqual({ residentBytes: expect.any(Number), parkMs: aTime, wakeMs: aTime });
  });

  test("of payloads, copied and shared", async () => {
    expect(await runtime.run(lengthOf, new Uint8Array(1000))).toBe(1000);
    expect((await runtime.run(bytesOf, 1000)).length).toBe(1000);
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    const back = (await runtime.run(sendBack, shared)) as Uint8Array;
    back[3] = 9;
    expect(shared[3]).toBe(9);
  });
});
