/** Channels and selects under every schedule of two or three threads. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { ChannelRecord, NOTHING } from "../../src/channel/channel-record.ts";
import { enqueueWaiter } from "../../src/goroutine/wait-queue.ts";
import { C_COUNT, C_RECEIVERS, C_SENDERS, O_REFS } from "../../src/memory/layout.ts";
import { casStores, casTears, lockIsFree, withFault } from "../support/model-memory.ts";
import {
  type Capacities,
  CHANNELS,
  leftIn,
  locksOf,
  ModelGoroutine,
  selectWordOf,
  setupChannels,
  WORDS,
} from "./channel-model.ts";

/** What a thread did: values whose send went through, values received, and whatever else it tells. */
interface Deeds {
  readonly sent: number[];
  readonly received: number[];
  readonly told?: unknown;
}
type Thread = ThreadFunction<unknown, Deeds>;

const nothing = (): Deeds => ({ sent: [], received: [] });

const sending =
  (number: number, ...values: number[]): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    const sent: number[] = [];
    for (const value of values) {
      try {
        goroutine.send(0, value);
        sent.push(value);
      } catch (error) {
        if ((error as Error).message !== "send on closed channel") throw error;
      }
    }
    return { sent, received: [] };
  };

const receiving =
  (number: number, times: number, recordClass = ChannelRecord): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number, recordClass);
    const received: number[] = [];
    for (let i = 0; i < times; i++) {
      const [value, ok] = goroutine.receive(0);
      if (ok) received.push(value);
    }
    return { sent: [], received };
  };

const closing =
  (number: number): Thread =>
  (memory) => {
    new ModelGoroutine(memory, number).channels[0].closeNow();
    return nothing();
  };

const trying =
  (number: number): Thread =>
  (memory) => {
    const value = new ModelGoroutine(memory, number).channels[0].receiveOrNothing();
    return {
      sent: [],
      received: typeof value === "number" ? [value] : [],
      told: value === NOTHING ? "nothing" : "something",
    };
  };

const canceled =
  (number: number, what: "receive" | "send"): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    if (what === "receive") {
      const got = goroutine.waitCanceled(goroutine.receiving(0)) as [number, boolean] | undefined;
      return { sent: [], received: got?.[1] ? [got[0]] : [] };
    }
    const sending = goroutine.sending(0, 90);
    let gone = true;
    // `undefined` is also what a send gives: whether it was in time is told by what `abandon` said.
    const { abandon } = sending;
    sending.abandon = (frame) => {
      const left = abandon.call(sending, frame);
      if (left) gone = false;
      return left;
    };
    try {
      goroutine.waitCanceled(sending);
    } catch (error) {
      if ((error as Error).message !== "send on closed channel") throw error;
      gone = false;
    }
    return { sent: gone ? [90] : [], received: [] };
  };

/** Selects so often between receiving from both channels. */
const selecting =
  (number: number, times: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    const received: number[] = [];
    for (let i = 0; i < times; i++) {
      const { value } = goroutine.select(goroutine.receiving(0), goroutine.receiving(1));
      const [got, ok] = value as [number, boolean];
      if (ok) received.push(got);
    }
    return { sent: [], received };
  };

/** Sends one value on either channel. */
const offering =
  (number: number, value: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    goroutine.select(goroutine.sending(0, value), goroutine.sending(1, value));
    return { sent: [value], received: [] };
  };

/** Selects between receiving from both channels, and is cancelled. */
const canceledSelect: Thread = (memory) => {
  const goroutine = new ModelGoroutine(memory, 1);
  const operation = goroutine.selecting(goroutine.receiving(0), goroutine.receiving(1));
  const outcome = goroutine.waitCanceled(operation) as { value: [number, boolean] } | undefined;
  return { sent: [], received: outcome?.value[1] ? [outcome.value[0]] : [] };
};

function exploreChannels(
  threads: readonly Thread[],
  {
    capacities = [0, 0],
    preemptions = 2,
    allowBlocked = false,
    plain = false,
  }: { capacities?: [number, number]; preemptions?: number; allowBlocked?: boolean; plain?: boolean } = {},
): ExploreResult {
  return explore<Deeds[], Capacities>({
    words: WORDS,
    setup: (memory) => setupChannels(memory, capacities),
    threads: [...threads],
    preemptions,
    allowBlocked,
    plainAccessesAreSteps: plain,
    invariant: ({ i32 }, { capacities: most }) => {
      for (const place of [0, 1] as const) {
        const count = i32[CHANNELS[place] + C_COUNT];
        if (count < 0 || count > most[place])
          throw new Error(`${count} values in a buffer for ${most[place]}`);
      }
    },
    check: (memory, results) => {
      const sent = results.flatMap((deeds) => deeds?.sent ?? []);
      const taken = [
        ...results.flatMap((deeds) => deeds?.received ?? []),
        ...leftIn(memory, 0),
        ...leftIn(memory, 1),
      ];
      expect(taken.toSorted(), "received or left").toEqual(sent.toSorted());
      for (const base of CHANNELS) {
        const queued = [memory.i32[base + C_RECEIVERS], memory.i32[base + C_SENDERS]];
        if (!allowBlocked) expect(queued, "queues").toEqual([0, 0]);
      }
    },
  });
}

/** A receiver that, having found nothing without the lock, queues without looking again. */
class Careless extends ChannelRecord {
  override receiveOrWait(waiter: number): unknown {
    const locked = this.enter();
    enqueueWaiter(this.port.i32, this.base + C_RECEIVERS, waiter);
    this.leave(locked);
    return NOTHING;
  }
}

describe("a channel", () => {
  test("loses and doubles nothing: two threads, every schedule", () => {
    expectNoFailure(exploreChannels([sending(1, 10), receiving(2, 1)], { preemptions: Infinity }));
    expectNoFailure(exploreChannels([sending(1, 10, 11), receiving(2, 2)], { preemptions: 5 }));
    expectNoFailure(
      exploreChannels([sending(1, 10, 11), receiving(2, 2)], { capacities: [1, 0], preemptions: 5 }),
    );
  });

  test("loses and doubles nothing: three threads", () => {
    expectNoFailure(exploreChannels([sending(1, 10), sending(2, 20), receiving(3, 2)]));
    expectNoFailure(exploreChannels([sending(1, 10, 11), receiving(2, 1), receiving(3, 1)]));
    expectNoFailure(
      exploreChannels([sending(1, 10, 11), sending(2, 20), receiving(3, 3)], { capacities: [1, 0] }),
    );
  });

  test("one sender's values arrive in order", () => {
    const inOrder = (capacity: number): ExploreResult =>
      explore<Deeds[], Capacities>({
        words: WORDS,
        setup: (memory) => setupChannels(memory, [capacity, 0]),
        threads: [sending(1, 1, 2, 3), receiving(2, 3)],
        preemptions: 3,
        check: (_memory, results) => expect(results[1]?.received).toEqual([1, 2, 3]),
      });
    expectNoFailure(inOrder(0));
    expectNoFailure(inOrder(2));
  });

  test("close wakes those who wait, and the rest is told", () => {
    expectNoFailure(exploreChannels([closing(1), receiving(2, 1)], { preemptions: Infinity }));
    expectNoFailure(exploreChannels([closing(1), sending(2, 20)], { preemptions: Infinity }));
    expectNoFailure(exploreChannels([closing(1), sending(2, 20), receiving(3, 2)]));
    expectNoFailure(
      exploreChannels([closing(1), sending(2, 20, 21), receiving(3, 3)], { capacities: [1, 0] }),
    );
  });

  test("a receive without waiting never says closed while there is a value", () => {
    const result = explore<Deeds[], Capacities>({
      words: WORDS,
      setup: (memory) => setupChannels(memory, [1, 0]),
      threads: [
        (memory) => {
          const goroutine = new ModelGoroutine(memory, 1);
          goroutine.send(0, 10);
          goroutine.channels[0].closeNow();
          return { sent: [10], received: [] };
        },
        trying(2),
      ],
      preemptions: Infinity,
      check: (memory, [, tried]) =>
        expect([...(tried?.received ?? []), ...leftIn(memory, 0)], String(tried?.told)).toEqual([10]),
    });
    expectNoFailure(result);
  });

  test("a receiver or sender that is cancelled is served or gone, never both", () => {
    expectNoFailure(
      exploreChannels([canceled(1, "receive"), sending(2, 20)], {
        capacities: [1, 0],
        preemptions: Infinity,
      }),
    );
    expectNoFailure(
      exploreChannels([canceled(1, "receive"), sending(2, 20), receiving(3, 1)], { allowBlocked: true }),
    );
    expectNoFailure(
      exploreChannels([canceled(1, "send"), sending(2, 20), receiving(3, 1)], { allowBlocked: true }),
    );
    expectNoFailure(exploreChannels([canceled(1, "receive"), closing(2)], { preemptions: Infinity }));
    expectNoFailure(exploreChannels([canceled(1, "send"), closing(2), receiving(3, 1)]));
  });

  test("is used without its lock only while nobody else has it", () => {
    const leaving: Thread = (memory) => {
      const deeds = sending(1, 10, 11)(memory, undefined);
      Atomics.sub(memory.i32, CHANNELS[0] + O_REFS, 2);
      return deeds;
    };
    const staying: Thread = (memory) => {
      const [channel] = new ModelGoroutine(memory, 2).channels;
      const received: number[] = [];
      for (let i = 0; i < 3; i++) {
        const value = channel.receiveNow();
        if (typeof value === "number") received.push(value);
      }
      return { sent: [], received };
    };
    expectNoFailure(exploreChannels([leaving, staying], { capacities: [2, 0], preemptions: 4 }));
    expectNoFailure(exploreChannels([leaving, staying], { capacities: [2, 0], preemptions: 3, plain: true }));
    const early: Thread = (memory) => {
      Atomics.sub(memory.i32, CHANNELS[0] + O_REFS, 2);
      return sending(1, 10, 11)(memory, undefined);
    };
    expectFailure(exploreChannels([early, staying], { capacities: [2, 0], preemptions: 3, plain: true }));
  });

  test("finds a cancelled receiver that takes no lock", () => {
    const free = withFault(lockIsFree(...locksOf(0)), canceled(1, "receive"));
    expectFailure(
      exploreChannels([free, sending(2, 20)], { capacities: [1, 0], plain: true, preemptions: 3 }),
    );
  });

  test("finds a lock that everybody gets", () => {
    const free = lockIsFree(...locksOf(0));
    expectFailure(
      exploreChannels([withFault(free, sending(1, 10)), withFault(free, sending(2, 20)), receiving(3, 2)], {
        plain: true,
      }),
    );
  });

  test("finds a receiver that does not look again before it sleeps", () => {
    expectFailure(exploreChannels([sending(1, 10), receiving(2, 1, Careless)], { capacities: [1, 0] }));
    expectFailure(exploreChannels([sending(1, 10), receiving(2, 1, Careless)]));
  });
});

describe("select", () => {
  test("against plain sends: one case goes through, the others lose nothing", () => {
    const other: Thread = (memory) => {
      new ModelGoroutine(memory, 2).send(1, 20);
      return { sent: [20], received: [] };
    };
    expectNoFailure(exploreChannels([selecting(1, 2), other, sending(3, 30)]));
    expectNoFailure(exploreChannels([selecting(1, 2), other, sending(3, 30)], { capacities: [1, 1] }));
  });

  test("against select", () => {
    expectNoFailure(exploreChannels([selecting(1, 1), offering(2, 20)], { preemptions: 4 }));
    expectNoFailure(exploreChannels([selecting(1, 2), offering(2, 20), offering(3, 30)], { preemptions: 1 }));
  });

  test("against select, both of which send and receive on one channel", () => {
    const either =
      (number: number): Thread =>
      (memory) => {
        const goroutine = new ModelGoroutine(memory, number);
        const { index, value } = goroutine.select(goroutine.receiving(0), goroutine.sending(0, number));
        return index === 0
          ? { sent: [], received: [(value as [number, true])[0]] }
          : { sent: [number], received: [] };
      };
    expectNoFailure(exploreChannels([either(1), either(2)], { preemptions: 4 }));
  });

  test("against close", () => {
    expectNoFailure(exploreChannels([selecting(1, 1), closing(2)], { preemptions: 4 }));
    expectNoFailure(exploreChannels([selecting(1, 1), closing(2), sending(3, 30)]));
  });

  test("that is cancelled is served or gone, never both", () => {
    const other: Thread = (memory) => {
      new ModelGoroutine(memory, 3).send(1, 30);
      return { sent: [30], received: [] };
    };
    expectNoFailure(exploreChannels([canceledSelect, sending(2, 20), other], { capacities: [1, 1] }));
    expectNoFailure(
      exploreChannels([canceledSelect, sending(2, 20), receiving(3, 1)], { allowBlocked: true }),
    );
  });

  test("finds a race for the select that is no compare-and-swap", () => {
    const torn = casTears(selectWordOf(1));
    const other: Thread = (memory) => {
      new ModelGoroutine(memory, 2).send(1, 20);
      return { sent: [20], received: [] };
    };
    expectFailure(
      exploreChannels([selecting(1, 2), withFault(torn, other), withFault(torn, sending(3, 30))], {
        preemptions: 3,
      }),
    );
  });

  test("finds a cancelled select that does not race for itself", () => {
    const blind = withFault(casStores(selectWordOf(1)), canceledSelect);
    expectFailure(exploreChannels([blind, sending(2, 20)]));
  });

  test("finds a select that leaves its queues without their locks", () => {
    const free = lockIsFree(...locksOf(0, 1));
    expectFailure(exploreChannels([withFault(free, selecting(1, 2)), sending(2, 20), offering(3, 30)]));
  });
});
