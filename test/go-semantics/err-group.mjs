/** golang.org/x/sync/errgroup's rules. */

import {
  AtomicInt,
  chan,
  context,
  defer,
  ErrGroup,
  goexit,
  goroutine,
  gosched,
  recover,
  sleep,
  spawn,
} from "heddle";
import { inEveryForm } from "./support/forms.mjs";

const described = (error) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

function* outcome(operation) {
  try {
    yield operation;
  } catch (error) {
    return described(error);
  }
  return "no error";
}

// ── members ──

const count = inEveryForm(import.meta, function* count(counter) {
  yield gosched();
  counter.add(1);
});

const fail = inEveryForm(import.meta, function* fail(message) {
  yield gosched();
  throw new Error(message);
});

/** Ends with the group's context, as Go programs do, and says why it did. */
const untilDone = inEveryForm(import.meta, function* untilDone(group, log, ready) {
  yield ready.send(true);
  yield group.context.done().recv();
  log.trySend(group.context.cause().message);
});

/** Ends with the group's context because it is thrown its end. */
const interrupted = inEveryForm(import.meta, function* interrupted(log) {
  try {
    yield chan().recv();
  } catch (error) {
    log.trySend(error.name);
    throw error;
  }
});

/** Counts how many run at once. */
const crowd = inEveryForm(import.meta, function* crowd(now, most) {
  const here = now.add(1);
  for (;;) {
    const seen = most.load();
    if (seen >= here || most.compareAndSwap(seen, here)) break;
  }
  for (let i = 0; i < 3; i++) yield gosched();
  now.add(-1);
});

const waitsFor = inEveryForm(import.meta, function* waitsFor(gate) {
  yield gate.recv();
});

const recovers = inEveryForm(import.meta, function* recovers() {
  defer(() => void recover());
  yield gosched();
  throw new Error("recovered");
});

const exits = inEveryForm(import.meta, function* exits() {
  yield gosched();
  goexit();
});

const MEMBERS = { count, fail, untilDone, interrupted, crowd, waitsFor, recovers, exits };

function drained(log) {
  const items = [];
  for (let item = log.tryRecv(); item !== undefined; item = log.tryRecv()) items.push(item[0]);
  return items;
}

/** The programs: each gets the kind of its members' bodies. */
const PROGRAMS = {
  *"wait waits for all members"(kind) {
    const group = new ErrGroup();
    const counter = new AtomicInt();
    for (let i = 0; i < 20; i++) yield group.go(MEMBERS.count[kind], counter);
    const ended = yield* outcome(group.wait());
    return [ended, counter.load()];
  },

  *"without members wait goes through"() {
    return yield* outcome(new ErrGroup().wait());
  },

  *"the first error is what wait throws, after all have ended"(kind) {
    const group = new ErrGroup(context.background());
    const gate = chan();
    const counter = new AtomicInt();
    yield group.go(MEMBERS.fail[kind], "first");
    yield group.context.done().recv();
    yield group.go(MEMBERS.fail[kind], "never: it starts under a context that is done");
    yield* outcome(group.go(MEMBERS.count[kind], counter));
    gate.close();
    return yield* outcome(group.wait());
  },

  *"the first error cancels the context, with itself as cause"(kind) {
    const group = new ErrGroup();
    const log = chan(10);
    const ready = chan();
    // Members that have not begun when the context ends never do.
    for (let i = 0; i < 2; i++) {
      yield group.go(MEMBERS.untilDone[kind], group, log, ready);
      yield ready.recv();
    }
    yield group.go(MEMBERS.fail[kind], "boom");
    const ended = yield* outcome(group.wait());
    return [ended, drained(log), group.context.cause().message];
  },

  *"members that wait elsewhere are interrupted"(kind) {
    const group = new ErrGroup();
    const log = chan(10);
    yield group.go(MEMBERS.interrupted[kind], log);
    yield group.go(MEMBERS.interrupted[kind], log);
    yield group.go(MEMBERS.fail[kind], "boom");
    const ended = yield* outcome(group.wait());
    // One that had not begun yet was not interrupted, but never began.
    return [ended, drained(log).every((name) => name === "CanceledError")];
  },

  *"the context ends when wait returns"(kind) {
    const group = new ErrGroup();
    yield group.go(MEMBERS.count[kind], new AtomicInt());
    const before = group.context.err();
    yield group.wait();
    return [before, described(group.context.err())];
  },

  *"the parent's end ends the group"(kind) {
    const [parent, cancel] = context.withCancel(context.background());
    const group = new ErrGroup(parent);
    const log = chan(10);
    const ready = chan();
    yield group.go(MEMBERS.untilDone[kind], group, log, ready);
    yield ready.recv();
    cancel(new Error("parent's"));
    return [yield* outcome(group.wait()), drained(log)];
  },

  *"the group's end does not end the parent"(kind) {
    const [parent, cancel] = context.withCancel(context.background());
    const group = new ErrGroup(parent);
    yield group.go(MEMBERS.fail[kind], "boom");
    yield* outcome(group.wait());
    const { err } = { err: parent.err() };
    cancel();
    return err;
  },

  *"no more than the limit run at once"(kind) {
    const group = new ErrGroup();
    group.setLimit(3);
    const [now, most] = [new AtomicInt(), new AtomicInt()];
    for (let i = 0; i < 30; i++) yield group.go(MEMBERS.crowd[kind], now, most);
    yield group.wait();
    return [most.load() >= 1 && most.load() <= 3, now.load()];
  },

  *"go waits at the limit, and its member starts even if nobody waits"(kind) {
    const group = new ErrGroup();
    group.setLimit(2);
    const gates = Array.from({ length: 4 }, () => chan());
    const started = gates.map((gate) => group.go(MEMBERS.waitsFor[kind], gate));
    yield started[0];
    yield started[1];
    const full = group.tryGo(MEMBERS.waitsFor[kind], gates[0]);
    gates[0].close();
    yield started[2];
    gates[1].close();
    yield started[3];
    gates[2].close();
    gates[3].close();
    return [full, yield* outcome(group.wait())];
  },

  *"tryGo starts only below the limit"(kind) {
    const group = new ErrGroup();
    group.setLimit(1);
    const gate = chan();
    const first = group.tryGo(MEMBERS.waitsFor[kind], gate);
    const second = group.tryGo(MEMBERS.waitsFor[kind], gate);
    gate.close();
    yield group.wait();
    return [first, second];
  },

  *"a limit of 0 lets nobody in, a negative one everybody"(kind) {
    const group = new ErrGroup();
    group.setLimit(0);
    const none = group.tryGo(MEMBERS.count[kind], new AtomicInt());
    group.setLimit(-1);
    const counter = new AtomicInt();
    const all = Array.from({ length: 10 }, () => group.tryGo(MEMBERS.count[kind], counter)).every(Boolean);
    yield group.wait();
    return [none, all, counter.load()];
  },

  *"the limit is not changed while members run"(kind) {
    const group = new ErrGroup();
    const gate = chan();
    yield group.go(MEMBERS.waitsFor[kind], gate);
    yield group.go(MEMBERS.waitsFor[kind], gate);
    let refused;
    try {
      group.setLimit(5);
    } catch (error) {
      refused = described(error);
    }
    gate.close();
    yield group.wait();
    group.setLimit(5);
    return refused;
  },

  *"a recovered error and goexit are no errors"(kind) {
    const group = new ErrGroup();
    yield group.go(MEMBERS.recovers[kind]);
    yield group.go(MEMBERS.exits[kind]);
    return yield* outcome(group.wait());
  },

  *"groups nest"(kind) {
    const outer = new ErrGroup();
    const inner = new ErrGroup(outer.context);
    const log = chan(10);
    const ready = chan();
    yield inner.go(MEMBERS.untilDone[kind], inner, log, ready);
    yield ready.recv();
    yield outer.go(MEMBERS.fail[kind], "outer");
    return [yield* outcome(outer.wait()), yield* outcome(inner.wait()), drained(log)];
  },

  *"a body that cannot be started leaves no trace"(kind) {
    const group = new ErrGroup();
    group.setLimit(1);
    const refused = [
      () => group.go(MEMBERS.count[kind], () => {}),
      () => group.tryGo(MEMBERS.count[kind], () => {}),
      () => group.tryGo(() => {}),
    ].map((call) => {
      try {
        call();
      } catch (error) {
        return error.name;
      }
      return "started";
    });
    const counter = new AtomicInt();
    const room = group.tryGo(MEMBERS.count[kind], counter);
    yield group.wait();
    return [refused, room, counter.load()];
  },
};

export const BODIES = Object.fromEntries(
  Object.entries(PROGRAMS).map(([name, program]) => [
    name,
    inEveryForm(import.meta, Object.defineProperty(program, "name", { value: name })),
  ]),
);

/** A group travels: a member adds members. */
const addsMembers = goroutine(import.meta, function* addsMembers(group, counter, depth) {
  counter.add(1);
  if (depth === 0) return;
  yield* group.go(addsMembers, group, counter, depth - 1);
  yield* group.go(addsMembers, group, counter, depth - 1);
});

export const growing = goroutine(import.meta, function* growing(depth) {
  const group = new ErrGroup();
  const counter = new AtomicInt();
  yield* group.go(addsMembers, group, counter, depth);
  yield* group.wait();
  return counter.load();
});

/** Several wait for one group: all are told. */
const waitsForGroup = goroutine(import.meta, function* waitsForGroup(group, ready) {
  yield* ready.send(true);
  try {
    yield* group.wait();
  } catch (error) {
    return error.message;
  }
});

export const manyWait = goroutine(import.meta, function* manyWait() {
  const group = new ErrGroup(context.background());
  const gate = chan();
  const ready = chan();
  yield* group.go(failsBehind, gate);
  const handles = Array.from({ length: 5 }, () => spawn(waitsForGroup, group, ready));
  for (let i = 0; i < handles.length; i++) yield* ready.recv();
  gate.close();
  const told = [];
  for (const handle of handles) told.push(yield* handle);
  return told;
});

const failsBehind = goroutine(import.meta, function* failsBehind(gate) {
  yield* gate.recv();
  yield* sleep(0.1);
  throw new Error("boom");
});
