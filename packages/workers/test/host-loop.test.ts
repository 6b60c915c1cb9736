import { HostThread, machineRecord, SharedMemory, threadParts, wake } from "@heddle/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HostLoop } from "../src/host-loop.ts";
import { nodeText } from "../src/node-text.ts";

/** Far more turns of the event loop than a brief look takes. */
const MANY_TURNS = 200;

/** A host with a promise pending, whose results come when the test says so. */
class WaitingHost extends HostThread {
  /** Whether something is in the inbox. */
  result = false;
  asleep = false;

  override drain(): boolean {
    const { result } = this;
    this.result = false;
    return result;
  }

  override get hasPending(): boolean {
    return true;
  }

  override announceSleep(): boolean {
    this.asleep = super.announceSleep();
    return this.asleep;
  }
}

let now = 0;
let host: WaitingHost;
let loop: HostLoop;
let ring: () => void;

beforeEach(() => {
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const memory = SharedMemory.create({
    procs: 1,
    maxMachines: 1,
    maxGoroutines: 16,
    maxObjects: 16,
    slabBytes: 2 ** 20,
    timeSliceMs: 10,
  });
  const { i32 } = memory;
  const record = machineRecord(memory, 0);
  loop = new HostLoop(memory, () => {});
  const parts = threadParts({ memory, number: 0, text: nodeText });
  host = new WaitingHost(parts, loop);
  loop.attach(host);
  ring = () => {
    host.asleep = false;
    wake(i32, record);
  };
});

afterEach(() => {
  loop.stop();
  vi.restoreAllMocks();
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns until the host sleeps, MANY_TURNS if it does not. */
async function turnsAwake(): Promise<number> {
  for (let turns = 0; turns < MANY_TURNS; turns++) {
    if (host.asleep) return turns;
    await turn();
  }
  return MANY_TURNS;
}

/** A result that comes only when the host sleeps. */
async function answerToTheSleeper(): Promise<void> {
  now += 1;
  await turnsAwake();
  host.result = true;
  ring();
  while (host.result) await turn();
}

/** One that wakes the host, and takes no time. */
async function answerAtOnce(): Promise<void> {
  host.result = true;
  ring();
  while (host.result) await turn();
}

test("a host that polls in vain again and again sleeps after a brief look", async () => {
  for (let i = 0; i < 10; i++) await answerToTheSleeper();
  expect(await turnsAwake()).toBeLessThan(20);
});

test("a result that comes while it polls gives the host its patience back", async () => {
  for (let i = 0; i < 10; i++) await answerToTheSleeper();
  // Now and then it polls on all the same.
  for (let i = 0; i < 20 && (await turnsAwake()) < MANY_TURNS; i++) await answerAtOnce();
  for (let i = 0; i < 20; i++) {
    host.result = true;
    while (host.result) await turn();
    expect(await turnsAwake()).toBe(MANY_TURNS);
  }
});

test("a few results that come late do not end its patience", async () => {
  for (let i = 0; i < 5; i++) await answerToTheSleeper();
  expect(await turnsAwake()).toBe(MANY_TURNS);
});
