/**
 * A machine dies at every step of a send, a receive, a select or a close, on one end of a channel whose other end is on another machine. The others go on; no value is received twice; and a value is lost only with a receiver
 * who had it in hand, or a sender who had not got so far.
 */

import { expectFailure, expectNoFailure } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import type { Channel } from "../../src/channel/channel.ts";
import { select } from "../../src/channel/select.ts";
import type { Received } from "../../src/channel/types.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import { Orphans } from "../../src/repair/orphans.ts";
import { Repair } from "../../src/repair/repair.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { hasEnded, isLost, meet, note, type Role, role, waitForQuiet } from "../support/mortal-roles.ts";
import { aChannel, exploreDeath, type Scene } from "../support/mortal-runtime.ts";
import { onlyReleases } from "../support/mortal-threads.ts";
import { withPlanted } from "../support/planted.ts";

const SENT = 10;
const RECEIVED = 20;

interface Ends {
  readonly capacity: number;
  readonly values: number;
  /** Whether both ends wait in selects, whose other case never comes. */
  readonly selects?: boolean;
  /** Whether the values are texts too long for a slot, each in a block of the slab. */
  readonly texts?: boolean;
}

type Numbers = Channel<number>;

const asText = (value: number): string => `${value}: more than a slot holds`;

function* send(ch: Numbers, value: number, never: Numbers | undefined): Goroutine<void> {
  if (never === undefined) yield* ch.send(value);
  else expect((yield* select(ch.send(value), never.recv())).index).toBe(0);
}

function* receive(ch: Numbers, never: Numbers | undefined): Goroutine<Received<number>> {
  if (never === undefined) return yield* ch.recvOk();
  const { index, value } = yield* select(ch.recvOk(), never.recvOk());
  expect(index).toBe(0);
  return value as Received<number>;
}

function noteReceived(value: number | string): void {
  const number = Number.parseInt(String(value), 10);
  if (typeof value === "string") expect(value).toBe(asText(number));
  note(RECEIVED + number);
}

/** What a receiver that is lost has left. */
function drain(ch: Numbers): void {
  for (let got = ch.tryRecv(); got?.[1]; got = ch.tryRecv()) noteReceived(got[0]);
}

function exchangeScene({ capacity, values, selects = false, texts = false }: Ends): Scene {
  const sender = role(function* (ch: Numbers, never?: Numbers) {
    meet(0);
    for (let value = 1; value <= values; value++) {
      yield* send(ch, texts ? (asText(value) as never) : value, never);
      note(SENT + value);
    }
  });
  const receiver = role(function* (ch: Numbers, never?: Numbers) {
    meet(0);
    for (;;) {
      const [value, ok] = yield* receive(ch, never);
      if (!ok) return;
      noteReceived(value);
    }
  });
  return {
    objects: [aChannel(capacity), ...(selects ? [aChannel(0)] : [])],
    roles: [sender, receiver],
    first: [sender, receiver],
    afterwards: (ch: Numbers) => {
      for (; !hasEnded(sender) && !isLost(sender); waitForQuiet()) {
        if (!isLost(receiver)) throw new Error("the sender waits though there is a receiver");
        drain(ch);
      }
      ch.close();
      if (isLost(receiver)) drain(ch);
    },
    check: (notes, told) => {
      let missing = 0;
      for (let value = 1; value <= values; value++) {
        const received = notes[RECEIVED + value] as number;
        expect(received, `receipts of ${value}`).toBeLessThanOrEqual(1);
        if (received === 0 && (notes[SENT + value] === 1 || told.ended(sender))) missing++;
      }
      expect(missing, "values that were sent and nobody got").toBeLessThanOrEqual(
        told.lost(receiver) ? 1 : 0,
      );
    },
  };
}

/** One closes a channel for which two receivers wait, on the same machine and on the other. */
function closeScene(): Scene {
  const atEnd = function* (ch: Numbers): Goroutine<void> {
    expect(yield* ch.recvOk()).toEqual([undefined, false]);
  };
  const closer = role(function* (ch: Numbers) {
    meet(0);
    ch.close();
  });
  const apart = role(function* (ch: Numbers) {
    meet(0);
    yield* atEnd(ch);
  });
  const beside = role(atEnd);
  const receivers: readonly Role[] = [apart, beside];
  return {
    objects: [aChannel(0)],
    roles: [closer, ...receivers],
    first: [closer, ...receivers],
    // Throws if it is closed: then nobody may wait any more.
    afterwards: (ch: Numbers) => {
      if (!receivers.every((each) => hasEnded(each) || isLost(each))) ch.close();
    },
  };
}

describe("one end dies", () => {
  test("a hand-over without a buffer", () => {
    expectNoFailure(exploreDeath(exchangeScene({ capacity: 0, values: 1 })));
  });

  test("values through a buffer of one, with a sender that has to wait", () => {
    expectNoFailure(exploreDeath(exchangeScene({ capacity: 1, values: 3 })));
  });

  test("a text in a block of its own", () => {
    expectNoFailure(exploreDeath(exchangeScene({ capacity: 0, values: 1, texts: true })));
  });

  test("both ends in selects", () => {
    expectNoFailure(exploreDeath(exchangeScene({ capacity: 0, values: 1, selects: true })));
  });

  test("texts, both ends in selects", () => {
    expectNoFailure(exploreDeath(exchangeScene({ capacity: 0, values: 2, selects: true, texts: true })));
  });

  test("a close", () => {
    expectNoFailure(exploreDeath(closeScene()));
  });
});

describe("planted bugs are found", () => {
  const buffered = exchangeScene({ capacity: 1, values: 3 });

  test("a lock that is only released", () => {
    withPlanted(DeadLocks.prototype, "take", onlyReleases, () => expectFailure(exploreDeath(buffered)));
    withPlanted(DeadLocks.prototype, "take", onlyReleases, () => expectFailure(exploreDeath(closeScene())));
  });

  test("whoever was served and not made ready is forgotten", () => {
    withPlanted(
      Orphans.prototype,
      "isForgotten",
      () => false,
      () => expectFailure(exploreDeath(buffered)),
    );
  });

  test("a sleeper whom the dead had marked as awake is not notified", () => {
    withPlanted(
      Repair.prototype,
      "notifySleepers",
      () => {},
      () => expectFailure(exploreDeath(buffered)),
    );
  });
});
