/** How goroutines end: `defer`, `recover`, `goexit`, errors. Each program writes what it does into a channel, `log`. */

import { chan, defer, go, goexit, goroutine, gosched, recover, sleep, spawn, WaitGroup } from "heddle";
import { inEveryForm } from "./support/forms.mjs";

const say = (log, text) => () => {
  log.trySend(text);
};

/** In a deferred call: writes down what `recover` gives. */
const sayRecovered = (log, who) => () => {
  log.trySend(`${who}: ${described(recover())}`);
};

function described(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} < ${described(error.cause)}`;
}

/** The programs, by what they show. */
export const PROGRAMS = {
  // ── deferred calls ──

  "calls run last in, first out, on return": function* onReturn(log) {
    defer(say(log, "first"));
    defer(say(log, "second"));
    yield gosched();
    defer(say(log, "third"));
    log.trySend("body");
    return "result";
  },

  "calls run on throw": function* onThrow(log) {
    defer(say(log, "first"));
    defer(say(log, "second"));
    yield gosched();
    throw new Error("boom");
  },

  "calls run on goexit": function* onGoexit(log) {
    defer(say(log, "first"));
    defer(say(log, "second"));
    yield gosched();
    goexit();
  },

  "calls run after finally blocks": function* afterFinally(log) {
    defer(say(log, "deferred"));
    try {
      yield gosched();
      throw new Error("boom");
    } finally {
      log.trySend("finally");
    }
  },

  "a call may register another, which runs next": function* nested(log) {
    defer(say(log, "first"));
    defer(() => {
      log.trySend("second");
      defer(say(log, "from second"));
    });
    yield gosched();
    return "result";
  },

  "a call registered by a function that was called belongs to the goroutine": function* fromFunction(log) {
    const helper = () => {
      defer(say(log, "from helper"));
      log.trySend("helper returns");
    };
    helper();
    yield gosched();
    log.trySend("body");
  },

  // ── recover ──

  "recover stops an error": function* recovers(log) {
    defer(sayRecovered(log, "deferred"));
    yield gosched();
    throw new Error("boom");
  },

  "recover gives the very error": function* sameError(log) {
    const error = Object.assign(new TypeError("mine"), { detail: { deep: 1 } });
    defer(() => {
      log.trySend(recover() === error);
    });
    yield gosched();
    throw error;
  },

  "recover gives whatever was thrown": function* anyValue(log) {
    defer(() => {
      log.trySend(recover());
    });
    yield gosched();
    // biome-ignore lint/style/useThrowOnlyError: any value can be thrown
    throw 42;
  },

  "recover works once": function* once(log) {
    defer(sayRecovered(log, "outer"));
    defer(() => {
      log.trySend(`inner: ${described(recover())}, then ${described(recover())}`);
    });
    yield gosched();
    throw new Error("boom");
  },

  "an error passes calls that do not recover it": function* passes(log) {
    defer(sayRecovered(log, "outer"));
    defer(say(log, "inner"));
    yield gosched();
    throw new Error("boom");
  },

  "recover without an error gives undefined": function* nothing(log) {
    defer(sayRecovered(log, "deferred"));
    yield gosched();
    return "result";
  },

  "recover in the body gives undefined, and stops nothing": function* inBody(log) {
    log.trySend(described(recover()));
    try {
      throw new Error("caught");
    } catch {
      log.trySend(described(recover()));
    }
    yield gosched();
    try {
      throw new Error("boom");
    } finally {
      log.trySend(described(recover()));
    }
  },

  // ── errors in deferred calls ──

  "an error of a call is the goroutine's": function* callThrows(log) {
    defer(say(log, "outer"));
    defer(() => {
      throw new Error("from call");
    });
    yield gosched();
    return "result";
  },

  "an error of a call replaces the earlier one and keeps it as cause": function* replaces(log) {
    defer(say(log, "outer"));
    defer(() => {
      throw new Error("second");
    });
    yield gosched();
    throw new Error("first");
  },

  "errors of several calls form a chain": function* chained() {
    defer(() => {
      throw new Error("third");
    });
    defer(() => {
      throw new Error("second");
    });
    yield gosched();
    throw new Error("first");
  },

  "recover sees the latest error, with the earlier one as cause": function* seesLatest(log) {
    defer(sayRecovered(log, "outer"));
    defer(() => {
      throw new Error("second");
    });
    yield gosched();
    throw new Error("first");
  },

  "a cause of its own is kept": function* ownCause() {
    defer(() => {
      throw new Error("second", { cause: new Error("own") });
    });
    yield gosched();
    throw new Error("first");
  },

  "a recovered error is no cause": function* recoveredIsNoCause(log) {
    defer(() => {
      log.trySend(described(recover()));
      throw new Error("second");
    });
    yield gosched();
    throw new Error("first");
  },

  "an error thrown again is itself": function* again() {
    defer(() => {
      throw recover();
    });
    yield gosched();
    throw new Error("first");
  },

  // ── goexit ──

  "goexit leaves from any depth, through finally blocks": function* depth(log) {
    defer(say(log, "deferred"));
    const deepest = () => {
      goexit();
      log.trySend("not reached");
    };
    const deep = () => {
      try {
        deepest();
      } finally {
        log.trySend("inner finally");
      }
      log.trySend("not reached");
    };
    try {
      yield gosched();
      deep();
    } finally {
      log.trySend("outer finally");
    }
    return "not reached";
  },

  "recover does not see goexit": function* notRecovered(log) {
    defer(sayRecovered(log, "outer"));
    defer(sayRecovered(log, "inner"));
    yield gosched();
    goexit();
  },

  "a catch that swallows goexit does not save the result": function* swallowed(log) {
    defer(say(log, "deferred"));
    yield gosched();
    try {
      goexit();
    } catch {
      log.trySend("swallowed");
    }
    return "saved";
  },

  "a catch that throws an error instead ends with the error": function* replacedExit(log) {
    defer(say(log, "deferred"));
    yield gosched();
    try {
      goexit();
    } catch {
      throw new Error("instead");
    }
  },

  "a goroutine whose catch swallows goexit ends where it would wait": function* swallowedThenWaits(log) {
    defer(say(log, "deferred"));
    try {
      goexit();
    } catch {
      log.trySend("swallowed");
    }
    yield chan().recv();
    log.trySend("not reached");
  },

  "a goroutine that swallows goexit again and again ends": function* swallowedForEver(log) {
    defer(say(log, "deferred"));
    for (let times = 0; times < 1000; times++) {
      try {
        goexit();
      } catch {
        // Again.
      }
      try {
        yield chan().recv();
      } catch {
        // And again.
      }
    }
    return "saved";
  },

  "goexit in a call drops the error, and the other calls run": function* exitInCall(log) {
    defer(sayRecovered(log, "outer"));
    defer(() => goexit());
    yield gosched();
    throw new Error("boom");
  },

  "goexit in a call drops the result, too": function* exitDropsResult(log) {
    defer(say(log, "outer"));
    defer(() => goexit());
    yield gosched();
    return "result";
  },

  "an exit goes on when an error of a call was recovered": function* exitGoesOn(log) {
    defer(say(log, "last"));
    defer(sayRecovered(log, "outer"));
    defer(() => {
      throw new Error("on the way out");
    });
    yield gosched();
    goexit();
  },

  "an error of a call during an exit is the goroutine's, if nobody recovers it": function* errorInExit(log) {
    defer(say(log, "outer"));
    defer(() => {
      throw new Error("on the way out");
    });
    yield gosched();
    goexit();
  },

  // ── calls that wait ──

  "a generator call may wait": function* generatorCall(log, other) {
    defer(say(log, "last"));
    defer(function* () {
      log.trySend(yield* other.recv());
      yield* sleep(0.1);
      log.trySend("waited");
    });
    yield gosched();
    return "result";
  },

  "an async call may wait": function* asyncCall(log, other) {
    defer(say(log, "last"));
    defer(async () => {
      log.trySend(await other.recv());
      await sleep(0.1);
      log.trySend("waited");
    });
    yield gosched();
    return "result";
  },

  "a plain call may block": function* plainCall(log, other) {
    defer(say(log, "last"));
    defer(() => {
      log.trySend(other.recv().block());
      sleep(0.1).block();
      log.trySend("waited");
    });
    yield gosched();
    return "result";
  },

  "a generator call recovers after it has waited": function* generatorRecovers(log, other) {
    defer(sayRecovered(log, "last"));
    defer(function* () {
      yield* other.recv();
      log.trySend(described(recover()));
    });
    yield gosched();
    throw new Error("boom");
  },

  "an async call recovers after it has waited": function* asyncRecovers(log, other) {
    defer(sayRecovered(log, "last"));
    defer(async () => {
      await other.recv();
      log.trySend(described(recover()));
    });
    yield gosched();
    throw new Error("boom");
  },

  "a call that waits may fail": function* waitsAndFails(log, other) {
    defer(sayRecovered(log, "last"));
    defer(async () => {
      await other.recv();
      throw new Error("after waiting");
    });
    yield gosched();
    throw new Error("boom");
  },

  "calls wait on the way out of goexit": function* waitsInExit(log, other) {
    defer(function* () {
      yield* other.recv();
      log.trySend("second wait");
    });
    defer(async () => {
      await other.recv();
      log.trySend("first wait");
    });
    yield gosched();
    goexit();
  },

  "goexit in a call that has waited": function* exitAfterWait(log, other) {
    defer(sayRecovered(log, "outer"));
    defer(function* () {
      yield* other.recv();
      goexit();
    });
    yield gosched();
    throw new Error("boom");
  },

  "a call may start goroutines and wait for them": function* startsOthers(log) {
    defer(function* () {
      const handle = spawn(answer);
      log.trySend(yield* handle);
      const wg = new WaitGroup();
      wg.go(answerInto, log);
      yield* wg.wait();
    });
    yield gosched();
    throw new Error("boom");
  },
};

const answer = goroutine(import.meta, function answer() {
  return 42;
});
const answerInto = goroutine(import.meta, function answerInto(log) {
  log.trySend(43);
});

/** The programs as bodies: by name, then by kind. */
const BODIES = Object.fromEntries(
  Object.entries(PROGRAMS).map(([name, program]) => [name, inEveryForm(import.meta, program)]),
);

/** Runs a program and says how it ended, and what it wrote. */
export const observe = goroutine(import.meta, function* observe(name, kind) {
  const log = chan(100);
  const other = chan();
  const feeder = spawn(feed, other);
  const running = spawn(BODIES[name][kind], log, other);
  let outcome;
  try {
    outcome = { value: yield* running };
  } catch (error) {
    outcome = { error: described(error) };
  }
  feeder.cancel();
  const logged = [];
  for (let item = log.tryRecv(); item !== undefined; item = log.tryRecv()) logged.push(item[0]);
  return { ...outcome, logged };
});

const feed = goroutine(import.meta, function* feed(ch) {
  for (;;) yield* ch.send("fed");
});

// ── goroutines without a handle ──

const recoveringBody = inEveryForm(import.meta, function* recoveringBody(done) {
  defer(() => done.trySend(described(recover())));
  yield gosched();
  throw new Error("boom");
});

const exitingBody = inEveryForm(import.meta, function* exitingBody(done) {
  defer(() => done.trySend(described(recover())));
  yield gosched();
  goexit();
});

/** An error that is recovered in a `go` body, and goexit there, end that goroutine only. */
export const withoutHandle = goroutine(import.meta, function* withoutHandle(kind) {
  const done = chan(2);
  go(recoveringBody[kind], done);
  go(exitingBody[kind], done);
  return [yield* done.recv(), yield* done.recv()].sort();
});

const deferring = inEveryForm(import.meta, function* deferring(log) {
  defer(function* () {
    yield* gosched();
    log.trySend("deferred");
  });
  yield gosched();
  log.trySend("body");
});

/** Whoever waits for the goroutine goes on after the deferred calls have run. */
export const endIsAfterCalls = goroutine(import.meta, function* endIsAfterCalls(kind) {
  const log = chan(10);
  yield* spawn(deferring[kind], log);
  const joined = log.length;
  const wg = new WaitGroup();
  wg.go(deferring[kind], log);
  yield* wg.wait();
  return [joined, log.length];
});

export const misuse = inEveryForm(import.meta, function* misuse() {
  yield gosched();
  return ["a string", null, undefined].map((call) => {
    try {
      defer(call);
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
    return "accepted";
  });
});

/** What the three do on a thread that runs no goroutine. */
export function outside() {
  const outcomes = {};
  for (const [name, call] of Object.entries({ defer: () => defer(() => {}), recover, goexit })) {
    try {
      outcomes[name] = call();
    } catch (error) {
      outcomes[name] = error;
    }
  }
  return outcomes;
}
