/** Sleeps, timers and tickers, as far as no clock is needed to see whether they are right. */

import { after, afterFunc, chan, goroutine, gosched, range, select, sleep, Ticker, trySelect } from "heddle";
import { inEveryForm } from "./support/forms.mjs";
import { thrown } from "./support/thrown.mjs";

const NEVER = 1e9;

const sends = inEveryForm(import.meta, function* sends(ch, value) {
  yield ch.send(value);
});

const PROGRAMS = {
  *"a sleep lasts as long as it should, or longer"() {
    const shortest = [];
    for (const ms of [0.5, 2, 5]) {
      const begin = performance.now();
      yield sleep(ms);
      shortest.push(performance.now() - begin >= ms - 0.01);
    }
    return shortest;
  },

  *"a sleep of 0 or less is none"() {
    for (const ms of [0, -0, -1, Number.NEGATIVE_INFINITY]) yield sleep(ms);
    return "through";
  },

  *"after gives the time, once"() {
    const ch = after(1);
    const before = Date.now();
    const [time, ok] = yield ch.recvOk();
    return [typeof time === "number" && time >= before - 1 && time <= Date.now() + 1, ok, ch.tryRecv()];
  },

  *"a timeout in a select"() {
    const { index } = yield select(chan().recv(), after(1).recv());
    return index;
  },

  *"a timer calls its function"() {
    const ch = chan();
    const timers = ["generator", "async", "plain"].map((kind) => afterFunc(1, sends[kind], ch, kind));
    const called = [yield ch.recv(), yield ch.recv(), yield ch.recv()].sort();
    return [called, timers.map((timer) => timer.stop())];
  },

  *"a stopped timer does not, and can be set again"() {
    const ch = chan(5);
    const timer = afterFunc(NEVER, sends.generator, ch, "called");
    const stops = [timer.stop(), timer.stop()];
    const resets = [timer.reset(NEVER), timer.reset(1)];
    const called = yield ch.recv();
    return {
      stops,
      resets,
      called,
      after: [timer.stop(), timer.reset(NEVER), timer.stop()],
      more: ch.tryRecv(),
    };
  },

  *"a ticker ticks until it is stopped"() {
    const ticker = new Ticker(1);
    for (let i = 0; i < 3; i++) yield ticker.c.recv();
    ticker.stop();
    // No stale tick comes after the stop.
    const stale = ticker.c.tryRecv();
    yield sleep(3);
    return [stale, ticker.c.tryRecv(), [ticker.c.length, ticker.c.capacity]];
  },

  *"ticks that nobody takes are dropped"() {
    const ticker = new Ticker(1);
    yield ticker.c.recv();
    yield sleep(8);
    let queued = 0;
    // As many as are there at once; a slow machine may see the next one come.
    const begin = Date.now();
    while (trySelect(ticker.c.recv()) !== undefined) queued++;
    const slow = Date.now() - begin >= 1;
    ticker.stop();
    return queued <= 1 || slow;
  },

  *"a ticker can be set again"() {
    const ticker = new Ticker(NEVER);
    ticker.reset(1);
    yield ticker.c.recv();
    ticker.reset(NEVER);
    const stale = ticker.c.tryRecv();
    ticker.stop();
    return stale;
  },

  *mistakes() {
    yield sleep(0);
    return [
      () => sleep("1"),
      () => sleep(Number.NaN),
      () => new Ticker(0),
      () => new Ticker(-1),
      () => new Ticker(1).reset(0),
      () => afterFunc(1, () => {}),
    ].map(thrown);
  },
};

export const BODIES = Object.fromEntries(
  Object.entries(PROGRAMS).map(([name, program]) => [
    name,
    inEveryForm(import.meta, Object.defineProperty(program, "name", { value: name })),
  ]),
);

/** A range over a ticker that is left by cancelling; sleepers beside a body that never waits. */
export const besideBusy = goroutine(import.meta, function* besideBusy(busy) {
  const ch = chan();
  const timer = afterFunc(1, sends.generator, ch, "came");
  let turns = 0;
  for (;;) {
    turns++;
    if (busy) yield* gosched();
    const received = ch.tryRecv();
    if (received !== undefined) return [received[0], turns > 0, timer.stop()];
    if (!busy) yield* sleep(0.1);
  }
});

export const rangeOverTicks = goroutine(import.meta, function* rangeOverTicks() {
  const ticker = new Ticker(1);
  yield* range(ticker.c, function* () {
    yield* gosched();
  });
});
