/** A thread dies with values that its goroutines were handed and have not taken, or could not hand over. All are in blocks of their own, which must come back. */

import { expect, test } from "vitest";
import { Channel, chan } from "../../src/channel/channel.ts";
import { select } from "../../src/channel/select.ts";
import { auditMemory } from "../../src/inspect/audit.ts";
import { Repair } from "../../src/repair/repair.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { objectsOf } from "../../src/scheduler/thread/shared-object.ts";
import { body, singleMachine } from "../support/single-machine.ts";

const DEAD = 1;
const text = (what: string): string => `${what}: more than a slot holds`;

type Texts = Channel<string>;
type Waits = (one: Texts, other: Texts) => Goroutine<unknown> | Promise<unknown>;
type Serves = (one: Texts) => void;

const gives: Serves = (one) => expect(one.trySend(text("given"))).toBe(true);
const takes: Serves = (one) => expect(one.tryRecv()?.[1]).toBe(true);
const closes: Serves = (one) => one.close();
const nothing: Serves = () => {};

const receives: Waits = function* (one) {
  yield* one.recv();
};
const awaits: Waits = async (one) => {
  await one.recv();
};
const awaitsSend: Waits = async (one) => {
  await one.send(text("sent"));
};
const sends: Waits = function* (one) {
  yield* one.send(text("sent"));
};
const selects: Waits = function* (one, other) {
  yield* select(undefined, other.recv(), one.recv());
};
const selectsOne: Waits = function* (one) {
  yield* select(one.recv());
};
const awaitsSelect: Waits = async (one, other) => {
  await select(one.recv(), other.send(text("other")));
};
const selectsToSend: Waits = function* (one, other) {
  yield* select(one.send(text("sent")), null, other.send(text("other")));
};
/** Waits a second time with what the first left in its waiter. */
const receivesTwice: Waits = function* (one, other) {
  yield* other.recv();
  yield* one.recv();
};

/** Who serves those that wait: their own thread just before it dies, so that they are runnable, or another, so that they have not heard of it. */
type Server = "itself" | "another";

/** A goroutine waits; it is served, and its thread dies before it goes on. How many blocks are in use then. */
async function blocksLeft(
  server: Server,
  waits: Waits,
  serves: Serves,
  before?: (other: Texts) => void,
): Promise<number> {
  const { host, settle, holdings } = singleMachine({ procs: 2 });
  const [one, other] = [chan(), chan()] as [Texts, Texts];
  const waiting = host.run(body(() => waits(one, other)) as never, []);
  waiting.catch(() => {});
  await settle();
  before?.(other);
  await settle();
  let left = -1;
  const dies = body(function* dies() {
    serves(server === "itself" ? one : new Channel(objectsOf(host), one.index));
    const repair = new Repair(host, { panic: (_base, error) => expect(error).toBeUndefined() });
    repair.machineLost({ machine: DEAD, reason: "it was killed", cause: undefined }, holdings);
    repair.sweep();
    const { blocks, problems } = auditMemory(host);
    expect(problems).toEqual([]);
    left = blocks;
  });
  host.run(dies as never, []).catch(() => {});
  // What becomes of the machine, which goes on though it is dead, does not matter.
  await settle().catch(() => {});
  return left;
}

const scenes: [string, Waits, Serves][] = [
  ["receives, and was given one", receives, gives],
  ["awaits, and was given one", awaits, gives],
  ["sends", sends, nothing],
  ["sends, and was rid of it", sends, takes],
  ["sends, and the channel was closed", sends, closes],
  ["awaits a send, and the channel was closed", awaitsSend, closes],
  ["selects, and was given one", selects, gives],
  ["selects with a single case, and was given one", selectsOne, gives],
  ["selects, and the channel was closed", selects, closes],
  ["awaits a select, and was given one beside one to send", awaitsSelect, gives],
  ["selects to send", selectsToSend, nothing],
  ["selects to send, and was rid of one", selectsToSend, takes],
  ["selects to send, and the channel was closed", selectsToSend, closes],
];

for (const server of ["itself", "another"] satisfies Server[])
  test.each(scenes)(
    `a goroutine that %s, served by ${server === "itself" ? "its own thread" : "another"}`,
    async (_, waits, serves) => {
      expect(await blocksLeft(server, waits, serves)).toBe(0);
    },
  );

test("a value that was taken is not given back when the goroutine waits again", async () => {
  const give = (other: Texts): void => expect(other.trySend(text("first"))).toBe(true);
  expect(await blocksLeft("itself", receivesTwice, nothing, give)).toBe(0);
});
