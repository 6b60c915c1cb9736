/** Random programs over small channels, beside a model that fits on a page. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chan } from "../../src/channel/channel.ts";
import { select, trySelect } from "../../src/channel/select.ts";
import type { Chan, ChanOp, SelectCase } from "../../src/channel/types.ts";
import { C_COUNT, C_RECEIVERS, C_SENDERS } from "../../src/memory/layout.ts";
import { go } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import { body, singleMachine } from "../support/single-machine.ts";

// ───────────────────────────── step by step ─────────────────────────────

/** One step that does not wait. */
type Step =
  | { readonly kind: "trySend"; readonly on: number }
  | { readonly kind: "tryRecv"; readonly on: number }
  | { readonly kind: "close"; readonly on: number }
  | {
      readonly kind: "trySelect";
      readonly cases: readonly { readonly on: number; readonly sends: boolean }[];
    };

const place = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("trySend" as const), on: place }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("tryRecv" as const), on: place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("close" as const), on: place }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("trySelect" as const),
      cases: fc.array(fc.record({ on: place, sends: fc.boolean() }), { maxLength: 4 }),
    }),
  },
);

/** What a channel with nobody waiting is. */
class Reference {
  readonly values: unknown[] = [];
  readonly capacity: number;
  closed = false;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  send(value: unknown): unknown {
    if (this.closed) return "send on closed channel";
    if (this.values.length >= this.capacity) return false;
    this.values.push(value);
    return true;
  }

  receive(): unknown {
    if (this.values.length > 0) return [this.values.shift(), true];
    return this.closed ? [undefined, false] : undefined;
  }

  close(): unknown {
    if (this.closed) return "close of closed channel";
    this.closed = true;
    return undefined;
  }

  isReady(sends: boolean): boolean {
    if (sends) return this.closed || this.values.length < this.capacity;
    return this.closed || this.values.length > 0;
  }
}

const orMessage = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return (error as Error).message;
  }
};

/** Values of all sizes: in the slot, in a block, with references. */
function valueOf(n: number): unknown {
  return [
    n,
    `text ${n}`,
    { n, list: [n, "x".repeat(n % 100)] },
    undefined,
    n % 2 === 0,
    `${"long ".repeat(20)}${n}`,
  ][n % 6];
}

test("steps that do not wait do what the model does", () => {
  singleMachine();
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 3 }), { minLength: 3, maxLength: 3 }),
      fc.array(step, { maxLength: 60 }),
      (capacities, steps) => {
        const channels = capacities.map((capacity) => chan<unknown>(capacity));
        const models = capacities.map((capacity) => new Reference(capacity));
        steps.forEach((next, n) => checkStep(next, valueOf(n), channels, models));
        channels.forEach((ch, i) =>
          expect([ch.length, ch.capacity]).toEqual([models[i]?.values.length, capacities[i]]),
        );
      },
    ),
    { numRuns: 300 },
  );
});

function checkStep(next: Step, value: unknown, channels: Chan<unknown>[], models: Reference[]): void {
  if (next.kind === "trySelect") {
    checkSelect(next.cases, value, channels, models);
    return;
  }
  const ch = channels[next.on] as Chan<unknown>;
  const model = models[next.on] as Reference;
  if (next.kind === "trySend") expect(orMessage(() => ch.trySend(value))).toEqual(model.send(value));
  else if (next.kind === "tryRecv") expect(ch.tryRecv()).toEqual(model.receive());
  else expect(orMessage(() => ch.close())).toEqual(model.close());
}

function checkSelect(
  cases: Extract<Step, { kind: "trySelect" }>["cases"],
  value: unknown,
  channels: Chan<unknown>[],
  models: Reference[],
): void {
  const operations = cases.map(({ on, sends }) =>
    sends ? channels[on]?.send(value) : channels[on]?.recvOk(),
  ) as ChanOp<unknown>[];
  const ready = cases.map(({ on, sends }) => (models[on] as Reference).isReady(sends));
  let picked: { index: number; value: unknown } | undefined;
  try {
    picked = trySelect(...operations) as typeof picked;
  } catch (error) {
    expect((error as Error).message).toBe("send on closed channel");
    expect(cases.some(({ on, sends }) => sends && models[on]?.closed)).toBe(true);
    return;
  }
  if (picked === undefined) {
    expect(ready).not.toContain(true);
    return;
  }
  const { on, sends } = cases[picked.index] as { on: number; sends: boolean };
  expect(ready[picked.index]).toBe(true);
  const model = models[on] as Reference;
  if (sends) expect([model.send(value), picked.value]).toEqual([true, undefined]);
  else expect(picked.value).toEqual(model.receive());
}

// ───────────────────────────── goroutines that wait ─────────────────────────────

/** What a goroutine does, one thing after the other. Sent values tell their sender and count up. */
type Act =
  | { readonly kind: "send" | "recv"; readonly on: number }
  | { readonly kind: "select"; readonly cases: readonly { readonly on: number; readonly sends: boolean }[] }
  | { readonly kind: "yield" };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("send" as const, "recv" as const), on: place }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("select" as const),
      cases: fc.array(fc.record({ on: place, sends: fc.boolean() }), { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "yield" as const }) },
);

interface Journal {
  /** For each channel: values whose send went through, by sender, in the sender's order. */
  readonly sent: number[][];
  /** For each channel: values received, in the order in which each receiver got them. */
  readonly received: { readonly by: number; readonly value: number }[][];
  failed: number;
}

/** What runs now: goroutines find it here, since arguments are copied. */
let journal: Journal;
let channelsNow: Chan<number>[];
let programs: readonly (readonly Act[])[];

const perform = body(function* (who: number) {
  let count = 0;
  const next = (): number => who * 1000 + count++;
  try {
    for (const what of programs[who] as readonly Act[]) {
      if (what.kind === "yield") {
        yield* gosched();
      } else if (what.kind === "select") {
        const values = what.cases.map(next);
        const cases = what.cases.map(({ on, sends }, i) =>
          sends ? channelsNow[on]?.send(values[i] as number) : channelsNow[on]?.recvOk(),
        ) as SelectCase[];
        const { index, value } = yield* select(...cases);
        const { on, sends } = what.cases[index] as { on: number; sends: boolean };
        if (sends) journal.sent[on]?.push(values[index] as number);
        else note(on, who, value as [number, boolean]);
      } else if (what.kind === "send") {
        const value = next();
        yield* (channelsNow[what.on] as Chan<number>).send(value);
        journal.sent[what.on]?.push(value);
      } else {
        note(what.on, who, (yield* (channelsNow[what.on] as Chan<number>).recvOk()) as [number, boolean]);
      }
    }
  } catch (error) {
    if ((error as Error).message !== "send on closed channel") throw error;
    journal.failed++;
  }
});

function note(on: number, by: number, [value, ok]: [number, boolean]): void {
  if (ok) journal.received[on]?.push({ by, value });
}

describe("random programs of goroutines", () => {
  test("lose nothing, double nothing, keep each sender's order for each receiver, and never overfill a buffer", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 3 }), { minLength: 3, maxLength: 3 }),
        fc.array(fc.array(act, { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (capacities, acts, closes) => {
          const { run, settle, panics, machine } = singleMachine();
          channelsNow = capacities.map((capacity) => chan<number>(capacity));
          journal = { sent: [[], [], []], received: [[], [], []], failed: 0 };
          programs = acts;
          await run(
            body(function* () {
              for (let who = 0; who < acts.length; who++) go(perform, who);
              yield* gosched();
            }),
          );
          await settle();
          channelsNow.forEach((ch) => checkQueues(ch, machine.i32));
          if (closes) for (const ch of channelsNow) ch.close();
          await settle();
          expect(panics).toEqual([]);
          channelsNow.forEach((ch, on) => checkChannel(ch, on, closes));
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** With everybody parked: values in the buffer mean that no live receiver waits, room means that no live sender does. */
function checkQueues(ch: Chan<number>, i32: Int32Array): void {
  const { base } = ch as unknown as { base: number };
  const count = i32[base + C_COUNT] as number;
  expect(count).toBeLessThanOrEqual(ch.capacity);
  if (count > 0) expect(i32[base + C_RECEIVERS]).toBe(0);
  if (count < ch.capacity) expect(i32[base + C_SENDERS]).toBe(0);
}

function checkChannel(ch: Chan<number>, on: number, closed: boolean): void {
  const left: number[] = [];
  for (let got = ch.tryRecv(); got?.[1]; got = ch.tryRecv()) left.push(got[0]);
  const received = (journal.received[on] as { by: number; value: number }[]).map(({ value }) => value);
  const sent = journal.sent[on] as number[];
  // Without a close the last receives may have let in values of senders that are not resumed any more.
  if (closed) expect([...received, ...left].toSorted(), "received or left").toEqual(sent.toSorted());
  else expect(new Set([...received, ...left]).size, "no duplicates").toBe(received.length + left.length);
  for (let by = 0; by < programs.length; by++) {
    const seen = (journal.received[on] as { by: number; value: number }[])
      .filter((entry) => entry.by === by)
      .map(({ value }) => value);
    for (let from = 0; from < programs.length; from++) {
      const ofSender = seen.filter((value) => Math.floor(value / 1000) === from);
      expect(ofSender, "in the sender's order").toEqual(ofSender.toSorted((a, b) => a - b));
    }
  }
}
