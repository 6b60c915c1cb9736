/** SharedArrayBuffers that are sent: the right memory arrives, whoever has forgotten it or died meanwhile, and nothing is kept of those that nobody can get at. */

import { setFlagsFromString } from "node:v8";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { seeded } from "@heddle/testkit";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CorruptValueError, MemoryLimitError } from "../../src/base/errors.ts";
import { makeMachine } from "../../src/chaos/chaotic-machine.ts";
import { registerKinds } from "../../src/context/kinds.ts";
import { auditMemory } from "../../src/inspect/audit.ts";
import { G_ARGS, M_ATTENTION, O_REFS, SAB_ROUND } from "../../src/memory/layout.ts";
import { SharedMemory } from "../../src/memory/shared-memory.ts";
import { giveBackHoldings } from "../../src/repair/dead-holdings.ts";
import { machineRecord } from "../../src/scheduler/idle/machine-life.ts";
import type { Machine } from "../../src/scheduler/machine/machine.ts";
import { wantsAttention } from "../../src/scheduler/thread/cancellation.ts";
import { type Holdings, holdingsIn, reserveHoldings } from "../../src/scheduler/thread/holdings.ts";
import { HostThread } from "../../src/scheduler/thread/host.ts";
import { sharedBuffersOf } from "../../src/scheduler/thread/shared-buffers.ts";
import { objectsOf } from "../../src/scheduler/thread/shared-object.ts";
import type { Thread, ThreadParts } from "../../src/scheduler/thread/thread.ts";
import { threadParts } from "../../src/scheduler/thread/thread-parts.ts";
import { setGarbageCollector } from "../../src/scheduler/thread/watch-list.ts";
import type { BufferMail, BufferParcel } from "../../src/values/shared-buffers.ts";
import type { Tag } from "../../src/values/tags.ts";
import { loopText } from "../../src/values/text.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const job = createContext({}, { microtaskMode: "afterEvaluate" });

beforeEach(() =>
  setGarbageCollector(() => {
    runInContext("0", job);
    collect();
  }),
);
afterEach(() => setGarbageCollector(undefined));

type Growable = SharedArrayBuffer & { readonly growable: boolean; grow(bytes: number): void };

/** What came to a thread, oldest first. As with threads of their own, each gets an object of its own. */
class Mail implements BufferMail {
  readonly queue: BufferParcel[] = [];
  private readonly members: Set<Mail>;

  constructor(members: Set<Mail>) {
    this.members = members;
    members.add(this);
  }

  post(parcel: BufferParcel): void {
    for (const other of this.members)
      if (other !== this) other.queue.push({ ...parcel, buffer: structuredClone(parcel.buffer) });
  }

  take(): BufferParcel | undefined {
    return this.queue.shift();
  }

  twin(buffer: SharedArrayBuffer): SharedArrayBuffer {
    return structuredClone(buffer);
  }
}

/** A thread, and what its program holds. */
interface Member {
  readonly thread: Thread;
  readonly mail: Mail;
  readonly holdings: Holdings;
  held: SharedArrayBuffer[];
}

/** A value under way. */
interface Value {
  readonly slot: number;
  readonly tag: Tag;
  readonly mark: number;
}

const markOf = (buffer: SharedArrayBuffer): number => new Int32Array(buffer)[0] as number;

/** A host and some machines in one thread, none of which runs anything: they only put values into slots and take them out. */
class World {
  readonly memory: SharedMemory;
  readonly members: Member[] = [];
  private readonly mails = new Set<Mail>();
  private slots = 0;
  private marks = 0;

  constructor({ machines = 2, maxObjects = 100 } = {}) {
    this.memory = SharedMemory.create({
      procs: 1,
      maxMachines: machines,
      maxGoroutines: 200,
      maxObjects,
      slabBytes: 2 ** 22,
      timeSliceMs: 10,
    });
    for (let number = 0; number <= machines; number++) this.members.push(this.start(number));
  }

  get host(): Member {
    return this.at(0);
  }

  at(number: number): Member {
    return this.members[number] as Member;
  }

  /** Begins a thread: it joins, and is told of what there is before it does anything. */
  start(number: number): Member {
    const mail = new Mail(this.mails);
    const { memory } = this;
    const buffer = reserveHoldings(memory);
    const parts = threadParts({ memory, number, text: loopText, mail, holdings: buffer });
    const thread = number === 0 ? hostThread(parts) : machineThread(parts);
    registerKinds(thread);
    if (number !== 0) this.tellAll();
    return { thread, mail, holdings: holdingsIn(memory, buffer), held: [] };
  }

  /** The host answers a question: what was in its mail before that it has taken. */
  private tellAll(): void {
    const { thread, mail } = this.host;
    const buffers = sharedBuffersOf(thread);
    for (let parcel = mail.take(); parcel !== undefined; parcel = mail.take()) buffers.accept(parcel);
    buffers.forEachCopy((parcel) => mail.post(parcel));
  }

  /** The thread of a machine dies, and another takes its number. */
  replace(number: number): void {
    const { holdings, mail } = this.at(number);
    this.mails.delete(mail);
    giveBackHoldings(this.host.thread as HostThread, holdings);
    this.members[number] = this.start(number);
  }

  /** A buffer that the member's program holds, and that can be told from all others. */
  make(member: Member, bytes = 16): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(bytes);
    new Int32Array(buffer)[0] = ++this.marks;
    member.held.push(buffer);
    return buffer;
  }

  send(member: Member, buffer: SharedArrayBuffer, inside = false): Value {
    this.slots = (this.slots % 150) + 1;
    const slot = member.thread.descriptorOf(this.slots) + G_ARGS;
    const value = inside ? { deep: [buffer, new Uint8Array(buffer, 4)] } : buffer;
    const tag = member.thread.codec.put(slot, value, "value");
    this.sharePool(member);
    return { slot, tag, mark: markOf(buffer) };
  }

  /** Receives a value, which the program holds from then on. It must be the right one, and the object that the program has already. */
  receive(member: Member, { slot, tag, mark }: Value, keepsValue = false): SharedArrayBuffer {
    const { codec } = member.thread;
    const value = keepsValue ? codec.peek(slot, tag) : codec.take(slot, tag);
    const buffer = bufferIn(value);
    expect(markOf(buffer)).toBe(mark);
    const known = member.held.find((one) => markOf(one) === mark);
    if (known !== undefined) expect(buffer).toBe(known);
    else member.held.push(buffer);
    return buffer;
  }

  collect(member: Member): void {
    objectsOf(member.thread).collect();
    this.sharePool(member);
  }

  /** Lets others have the free records: here they are fewer than a thread keeps for itself. */
  private sharePool(member: Member): void {
    objectsOf(member.thread)["pool"].flush();
  }

  tidy(member: Member): void {
    Atomics.add(this.memory.i32, SAB_ROUND, 1);
    sharedBuffersOf(member.thread).tidyIfAsked();
  }

  collectAll(): void {
    for (const member of this.members) this.collect(member);
  }

  /** Records in use. */
  get used(): number {
    const { objects, problems } = auditMemory(this.host.thread);
    expect(problems).toEqual([]);
    return objects;
  }

  keptBy(member: Member): number {
    return sharedBuffersOf(member.thread)["kept"].size;
  }
}

function bufferIn(value: unknown): SharedArrayBuffer {
  if (value instanceof SharedArrayBuffer) return value;
  const [buffer, view] = (value as { deep: [SharedArrayBuffer, Uint8Array] }).deep;
  expect(view.buffer).toBe(buffer);
  return buffer;
}

function hostThread(parts: ThreadParts): HostThread {
  return new HostThread(parts, {
    keepAlive: () => {},
    expectResults: () => {},
    rejectWithSite: () => {},
  });
}

function machineThread(parts: ThreadParts): Thread {
  return makeMachine(parts, {
    eventsPending: () => true,
    requestRun: () => {},
    runMicrotasks: () => false,
    load: (url) => Promise.reject(new Error(`there is no module ${url} in this test`)),
    enterAsync: (_frame, start) => start(),
    asyncFrame: () => undefined,
    panic: () => {},
  });
}

/** In a function of its own, so that nothing on the stack holds what it makes. */
function sendAndForget(world: World, member: Member, bytes?: number): Value {
  const value = world.send(member, world.make(member, bytes));
  member.held = [];
  return value;
}

function receiveAndForget(world: World, member: Member, value: Value): void {
  world.receive(member, value);
  member.held = [];
}

describe("a shared buffer that is sent", () => {
  test("stays in a value under way when its maker has forgotten it", () => {
    const world = new World();
    const value = sendAndForget(world, world.at(1));
    world.collectAll();
    for (const member of world.members) world.tidy(member);
    expect(world.used).toBe(1);
    world.receive(world.at(2), value);
    world.receive(world.at(2), world.send(world.at(2), world.at(2).held[0] as SharedArrayBuffer));
    expect(world.used).toBe(1);
  });

  test("stays in a value under way when the thread of its maker has died", () => {
    const world = new World();
    const value = sendAndForget(world, world.at(1));
    world.replace(1);
    world.receive(world.at(1), value, true);
    world.receive(world.at(2), value);
    world.at(1).held = world.at(2).held = [];
    world.collectAll();
    expect(world.used).toBe(0);
  });

  test("comes back to its maker, who had forgotten it", () => {
    const world = new World();
    const value = sendAndForget(world, world.at(1));
    world.collect(world.at(1));
    world.receive(world.at(1), value);
    expect(world.used).toBe(1);
  });

  test("is the same object for a thread that still holds it, whoever sends it", () => {
    const world = new World();
    const buffer = world.make(world.at(1));
    const there = world.receive(world.at(2), world.send(world.at(1), buffer));
    expect(world.receive(world.at(2), world.send(world.at(1), buffer))).toBe(there);
    expect(world.receive(world.at(1), world.send(world.at(2), there, true))).toBe(buffer);
    const third = world.receive(world.host, world.send(world.at(2), there));
    expect(world.receive(world.host, world.send(world.at(1), buffer, true))).toBe(third);
    expect(world.used).toBe(1);
  });

  test("is sent again after another thread has dropped it", () => {
    const world = new World();
    const buffer = world.make(world.at(1));
    for (let round = 0; round < 3; round++) {
      receiveAndForget(world, world.at(2), world.send(world.at(1), buffer));
      world.collect(world.at(2));
      world.tidy(world.at(2));
    }
    expect(world.used).toBe(1);
  });

  test("is let go on every thread when nobody holds it, and its number used again", () => {
    const world = new World({ maxObjects: 16 });
    for (let i = 0; i < 200; i++) {
      receiveAndForget(world, world.at(1 + (i % 2)), sendAndForget(world, world.at(2 - (i % 2))));
      if (i % 8 === 7) world.collectAll();
    }
    world.collectAll();
    expect(world.used).toBe(0);
    for (const member of world.members) {
      world.tidy(member);
      expect([world.keptBy(member), member.mail.queue.length]).toEqual([0, 0]);
    }
  });

  test("reaches a thread that began after it was sent, and one that is asked for nothing until then", () => {
    const world = new World();
    const values = Array.from({ length: 5 }, () => sendAndForget(world, world.at(1)));
    world.collectAll();
    world.replace(2);
    for (const value of values) world.receive(world.at(2), value);
    expect(world.at(2).held).toHaveLength(5);
  });

  test("an old parcel that comes late does not take the place of its successor", () => {
    const world = new World({ maxObjects: 1 });
    const late: BufferParcel[] = [];
    receiveAndForget(world, world.at(2), sendAndForget(world, world.at(1)));
    sharedBuffersOf(world.host.thread).accept(world.host.mail.take() as BufferParcel);
    sharedBuffersOf(world.host.thread).forEachCopy((parcel) => late.push(parcel));
    world.collectAll();
    expect(world.used).toBe(0);
    const value = sendAndForget(world, world.at(1));
    world.at(2).mail.queue.push(...late);
    world.tidy(world.at(2));
    world.receive(world.at(2), value);
  });

  test("grows for all", () => {
    const world = new World();
    const Shared = SharedArrayBuffer as unknown as new (
      bytes: number,
      options: { maxByteLength: number },
    ) => Growable;
    const buffer = new Shared(8, { maxByteLength: 64 });
    const there = world.receive(world.at(1), world.send(world.host, buffer)) as Growable;
    there.grow(32);
    expect([buffer.byteLength, there.growable]).toEqual([32, true]);
    const further = world.receive(world.at(2), world.send(world.at(1), there)) as Growable;
    expect([further.byteLength, further.growable]).toEqual([32, true]);
  });

  test("a value that is dropped lets it go", () => {
    const world = new World();
    const value = sendAndForget(world, world.at(1));
    world.collectAll();
    world.at(2).thread.codec.drop(value.slot, value.tag);
    expect(world.used).toBe(0);
  });

  test("a name that was never given is no crash, and keeps nothing", () => {
    const world = new World();
    const value = world.send(world.at(1), world.make(world.at(1)));
    const { i32 } = world.memory;
    i32[value.slot + 1] = 7;
    expect(() => world.at(2).thread.codec.take(value.slot, value.tag)).toThrow(CorruptValueError);
    i32[value.slot + 1] = 1;
    world.at(2).mail.queue.length = 0;
    expect(() => world.at(2).thread.codec.take(value.slot, value.tag)).toThrow(/which was never sent/);
    expect(i32[objectsOf(world.host.thread).baseOf(i32[value.slot] as number) + O_REFS]).toBe(2);
  });

  test("more at once than there are records is a MemoryLimitError, and the buffer stays with the caller", () => {
    const world = new World({ maxObjects: 20 });
    const send = (): Value => world.send(world.at(1), world.make(world.at(1)));
    const values = Array.from({ length: 20 }, send);
    expect(send).toThrow(MemoryLimitError);
    expect(send).toThrow(
      /all 20 sync objects are in use \(a SharedArrayBuffer that was sent counts as one\)/,
    );
    world.at(1).held = [];
    for (const value of values) receiveAndForget(world, world.at(2), value);
    world.collectAll();
    expect(world.used).toBe(0);
    world.receive(world.at(2), send());
  });

  test("all threads are asked to let go when what was freed is much, and a request that is there stays", () => {
    const world = new World();
    const { i32 } = world.memory;
    const attention = (): number[] =>
      [1, 2].map((m) => i32[machineRecord(world.memory, m) + M_ATTENTION] as number);
    i32[machineRecord(world.memory, 1) + M_ATTENTION] = 1;
    receiveAndForget(world, world.at(2), sendAndForget(world, world.at(1), 1000));
    world.collectAll();
    expect([attention(), i32[SAB_ROUND]]).toEqual([[1, 0], 0]);
    receiveAndForget(world, world.at(2), sendAndForget(world, world.at(1), 20 * 2 ** 20));
    world.collectAll();
    expect([attention(), i32[SAB_ROUND]]).toEqual([[1, 2], 1]);
  });
});

test("a machine that is asked lets go at its next safe point, and does not look for cancelled goroutines", () => {
  const world = new World();
  receiveAndForget(world, world.at(1), sendAndForget(world, world.at(1), 20 * 2 ** 20));
  sharedBuffersOf(world.at(2).thread).accept(world.at(2).mail.take() as BufferParcel);
  receiveAndForget(world, world.at(1), sendAndForget(world, world.at(1)));
  world.collectAll();
  const machine = world.at(2).thread as Machine;
  const looks = vi.spyOn(machine.frames, "forEach");
  expect(wantsAttention(machine.i32, machineRecord(world.memory, 2))).toBe(true);
  machine["attend"]();
  expect([world.keptBy(world.at(2)), world.at(2).mail.queue.length, looks.mock.calls.length]).toEqual([
    0, 0, 0,
  ]);
  expect(wantsAttention(machine.i32, machineRecord(world.memory, 2))).toBe(false);
});

/** Few enough that numbers are used again and again, and run out. */
const RECORDS = 12;
const STEPS = 1500;

test.each([1, 2, 3, 4, 5, 6])("whatever threads do, the right memory arrives: seed %i", (seed) => {
  const world = new World({ machines: 3, maxObjects: RECORDS });
  const random = seeded(seed);
  const below = (count: number): number => random.below(count);
  const values: Value[] = [];
  let sent = 0;
  const steps: Record<string, (member: Member, number: number) => void> = {
    make: (member) => void world.make(member),
    send(member) {
      if (member.held.length === 0 || values.length > 8) return;
      try {
        values.push(
          world.send(member, member.held[below(member.held.length)] as SharedArrayBuffer, below(10) < 3),
        );
        sent++;
      } catch (error) {
        expect(error).toBeInstanceOf(MemoryLimitError);
      }
    },
    receive(member) {
      const value = values.splice(below(values.length), 1)[0];
      if (value !== undefined) world.receive(member, value);
    },
    look(member) {
      const value = values[below(values.length)];
      if (value !== undefined) world.receive(member, value, true);
    },
    drop(member) {
      const value = values.splice(below(values.length), 1)[0];
      if (value !== undefined) member.thread.codec.drop(value.slot, value.tag);
    },
    forget: (member) => void member.held.splice(below(member.held.length), 1 + below(3)),
    takeMail(member) {
      const parcel = member.mail.take();
      if (parcel !== undefined) sharedBuffersOf(member.thread).accept(parcel);
    },
    tidy: (member) => world.tidy(member),
    collect: (member) => (below(5) === 0 ? world.collect(member) : undefined),
    die: (_member, number) => (number > 0 && below(5) === 0 ? world.replace(number) : undefined),
  };
  const names = "make make send send send receive receive receive look forget forget".split(" ");
  names.push(...Object.keys(steps));
  for (let i = 0; i < STEPS; i++) {
    const number = below(world.members.length);
    steps[names[below(names.length)] as string]?.(world.at(number), number);
  }
  expect(sent).toBeGreaterThan(10 * RECORDS);
  for (const value of values) world.host.thread.codec.drop(value.slot, value.tag);
  for (const member of world.members) member.held = [];
  world.collectAll();
  world.collectAll();
  expect(world.used).toBe(0);
  for (const member of world.members) {
    world.tidy(member);
    expect(world.keptBy(member)).toBe(0);
  }
});
