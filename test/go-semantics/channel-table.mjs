/**
 * What each operation does with a channel in each state: goes through, throws, or waits.
 *
 * That an operation waits is shown by its outcome, which nothing but the later relief can bring about: a value that was sent, or a place that was made, after the operation had begun.
 */

import { chan, go, goroutine, gosched, range, select, spawn, trySelect } from "heddle";
import { inEveryForm } from "./support/forms.mjs";

/** Channels to try operations on. */
const STATES = {
  unbuffered: () => chan(),
  empty: () => chan(2),
  "partly full": () => filled(3, ["first"]),
  full: () => filled(2, ["first", "second"]),
  closed: () => closed(chan()),
  "closed, buffered": () => closed(chan(2)),
  "closed, with values": () => closed(filled(2, ["first", "second"])),
};

function filled(capacity, values) {
  const ch = chan(capacity);
  for (const value of values) ch.trySend(value);
  return ch;
}

function closed(ch) {
  ch.close();
  return ch;
}

const NEVER = () => chan().recv();

/** The operations that may wait. */
const OPERATIONS = {
  send: (ch) => ch.send("mine"),
  recv: (ch) => ch.recv(),
  recvOk: (ch) => ch.recvOk(),
  "select send": (ch) => select(NEVER(), ch.send("mine")),
  "select recv": (ch) => select(NEVER(), ch.recv()),
  "select recvOk": (ch) => select(NEVER(), ch.recvOk()),
  "select of one send": (ch) => select(ch.send("mine")),
  "select of one recv": (ch) => select(ch.recv()),
};

/** Those that never do. */
const ATTEMPTS = {
  trySend: (ch) => ch.trySend("mine"),
  tryRecv: (ch) => ch.tryRecv(),
  "trySelect send": (ch) => trySelect(NEVER(), ch.send("mine")),
  "trySelect recv": (ch) => trySelect(NEVER(), ch.recv()),
  "trySelect recvOk": (ch) => trySelect(NEVER(), ch.recvOk()),
  "trySelect send, only case": (ch) => trySelect(ch.send("mine")),
  "trySelect recv, only case": (ch) => trySelect(ch.recv()),
  close: (ch) => ch.close(),
  "length and capacity": (ch) => [ch.length, ch.capacity],
};

function described(error) {
  return `${error.name}: ${error.message}`;
}

/** Carries out one operation and says what came of it. */
const use = inEveryForm(import.meta, function* use(ch, operation, begun) {
  begun.close();
  try {
    return { value: yield OPERATIONS[operation](ch) };
  } catch (error) {
    return { error: described(error) };
  }
});

/** Brings a waiting operation to its end; says what it saw. */
const RELIEFS = {
  *"a value is sent"(ch) {
    yield ch.send("theirs");
    return "sent";
  },
  *"a value is received"(ch) {
    return (yield ch.recvOk())[0];
  },
  // oxlint-disable-next-line require-yield
  *"the channel is closed"(ch) {
    ch.close();
    return "closed";
  },
};

/** Starts `use` in the given form, on the host if that is where this program runs, relieves it if need be, and gives both outcomes and what is left in the channel. */
export const observe = inEveryForm(import.meta, function* observe(state, operation, kind, relief) {
  const ch = STATES[state]();
  const begun = chan();
  const running = kind === "host" ? use.host(ch, operation, begun) : spawn(use[kind], ch, operation, begun);
  let relieved;
  if (relief !== undefined) {
    yield begun.recvOk();
    // On the host there is nobody else whose turn could come.
    if (kind !== "host") for (let i = 0; i < 3; i++) yield gosched();
    relieved = yield* RELIEFS[relief](ch);
  }
  return { ...(yield running), relieved, left: drained(ch) };
});

function drained(ch) {
  const left = [];
  for (let received = ch.tryRecv(); received?.[1]; received = ch.tryRecv()) left.push(received[0]);
  return left;
}

/** What an operation that never waits gives at once, in any body and on the host. */
export function attempt(state, operation) {
  const ch = STATES[state]();
  try {
    return { value: ATTEMPTS[operation](ch), left: drained(ch) };
  } catch (error) {
    return { error: described(error), left: drained(ch) };
  }
}

export const attemptBody = goroutine(import.meta, attempt);

/** Attempts that meet a goroutine which waits at the other end of an unbuffered channel: repeated until it has parked. */
export const meetReceiver = goroutine(import.meta, function* meetReceiver(operation) {
  const ch = chan();
  const receiver = spawn(use.generator, ch, "recvOk", chan());
  const until =
    operation === "trySend" ? () => ch.trySend("mine") : () => trySelect(ch.send("mine")) !== undefined;
  while (!until()) yield* gosched();
  return yield* receiver;
});

export const meetSender = goroutine(import.meta, function* meetSender(operation) {
  const ch = chan();
  const sender = spawn(use.generator, ch, "send", chan());
  let met;
  while (met === undefined) {
    met = operation === "tryRecv" ? ch.tryRecv() : trySelect(ch.recvOk())?.value;
    if (met === undefined) yield* gosched();
  }
  yield* sender;
  return met;
});

// ── loops over channels ──

export const ranged = goroutine(import.meta, function* ranged(state) {
  const seen = [];
  yield* range(STATES[state](), (value) => {
    seen.push(value);
  });
  return seen;
});

export const iterated = goroutine(import.meta, async function iterated(state) {
  return await iterate(STATES[state]());
});

async function iterate(ch) {
  const seen = [];
  for await (const value of ch) seen.push(value);
  return seen;
}

export const iterateOnHost = (state) => iterate(STATES[state]());

const produce = goroutine(import.meta, function* produce(ch, count) {
  for (let i = 0; i < count; i++) yield* ch.send(i);
  ch.close();
});

/** A loop that waits between the values and ends when the channel is closed. */
export const rangedLater = goroutine(import.meta, function* rangedLater(capacity, count) {
  const ch = chan(capacity);
  go(produce, ch, count);
  const seen = [];
  yield* range(ch, function* (value) {
    yield* gosched();
    seen.push(value);
  });
  return seen;
});

export const iteratedLater = goroutine(import.meta, async function iteratedLater(capacity, count) {
  const ch = chan(capacity);
  go(produce, ch, count);
  return await iterate(ch);
});

export async function iteratedLaterOnHost(capacity, count) {
  const ch = chan(capacity);
  go(produce, ch, count);
  return await iterate(ch);
}

/** A loop that is left leaves the rest, and the channel open. */
export const leftEarly = goroutine(import.meta, async function leftEarly() {
  const ch = filled(3, ["first", "second"]);
  for await (const value of ch) if (value === "first") break;
  return { open: ch.trySend("third"), left: drained(ch) };
});
