/**
 * SharedArrayBuffers that are sent: each is a record of the object table as long as anybody can get at it.
 *
 * What makes them different from other objects that travel by reference: a name in shared memory is not enough to make one. A thread gets at foreign shared memory only through a message, and who will receive a value
 * is not known when it is sent (goroutines are stolen, a channel's value goes to whoever comes first). So the sender posts the buffer to every thread before the first value may name it, and every
 * thread has to keep what it was posted as long as a value might name it to it: whoever would have to ask for it later would have to wait for a thread that may compute for seconds.
 *
 * Kept and held must therefore be told apart. If one object were both what a thread keeps and what it gives to the program, nobody could tell whether the program still holds it; and two threads that
 * each keep theirs because the other has not let go would do so for ever. So each thread has two objects for the same memory:
 *
 * - the *copy kept*, which the program never sees, in `kept` by the record's number. It does not count as a reference.
 * - the *program's object*, while the program has one. Its stand-in counts as one reference, and is watched as those of all sync objects are (watch-list.ts, holdings.ts: so a thread that dies gives it back). It
 *   lives exactly as long as the object: the only way to it is a WeakMap with the object as the key, and it refers to the object itself.
 *
 * Values under way count as references, too, as for all kinds. When the last reference of either sort has gone, the record is free, its number is used again with another generation, and the copies kept are dead.
 *
 * **A copy is there when it is needed.** The sender of the first value (1) takes a record, (2) keeps a copy, (3) posts, (4) writes the value. Whoever reads the value comes after (4), so the parcel is in its mail or has
 * been taken: `copyOf` takes mail until it has come. A thread that starts later joins the mail first and then asks the host for all copies it keeps: a parcel posted before the thread joined lies in the host's mail
 * before that question, one posted afterwards in the thread's own.
 *
 * **A copy is kept while it may be needed.** A value, and so a reference, can be made only from an object or a value that counts as a reference of the same use of the record. So once the
 * references are 0 nothing names this use of the record any more, and nothing ever will: a copy may go when the references are 0 or the generation is another. During the use both are as they were at its beginning: `create`
 * raises the generation before it stores the first reference, and both before the parcel is posted, which whoever looks has received. A look between the two (the generation not seen yet, a reference already)
 * finds a dead copy alive, and no more than that.
 *
 * **An old parcel does no harm.** It may come after its record was freed, and used again: the host's answer to a new thread overtakes nothing, but it may be slow. The generation tells. That a newer copy is replaced by an older
 * one cannot be, for who has the newer one sees the newer generation.
 *
 * **Letting go on other threads** is not urgent and costs nothing while buffers are only used: who frees records counts what they were worth, and asks all threads to tidy up when it is much (`ask`): to take their mail, so that it
 * does not pile up before a thread that sleeps, and to look through what they keep. The memory is free when the last thread's engine has collected the last object for it, and engines do not count shared memory as their own: they would
 * see no reason to. So each thread collects garbage when the objects it made for its program, or the copies it let go, come to much (`isDue`).
 *
 * What a thread that dies leaves behind: its references are given back with those of its other objects; its copies go with it. If it died between two of the steps above, then before (4) nobody knows of the record but the list in
 * which it is written down; after (4) all have the parcel.
 */

import { CorruptValueError } from "../../base/errors.ts";
import { O_REFS, O_VALUE, SAB_ROUND, SAB_SENT } from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import type { ReferenceKind } from "../../values/references.ts";
import {
  type BufferMail,
  type BufferParcel,
  bytesOfShared,
  isSharedBuffer,
  SHARED_BUFFER_KIND,
} from "../../values/shared-buffers.ts";
import { requestTidying } from "./cancellation.ts";
import { type ObjectTable, objectKind, objectsOf, type SharedObject } from "./shared-object.ts";
import type { Thread } from "./thread.ts";

/** KiB that a buffer is taken to cost beside its length: objects, their watching, and the record, on some threads. A guess, on the high side. */
const OVERHEAD_KIB = 4;
/** KiB that may be garbage on a thread before it collects: 32 MiB, or 8000 small buffers. On a small heap that takes a millisecond or two; to make so many buffers takes ten times as long. */
const COLLECT_KIB = 32 * 1024;
/** After a collection, so many times its duration pass before another is made. */
const PAUSE = 10;
/** KiB that may be garbage before the pause is cut short. On a large heap this is what such buffers cost in memory. */
const COLLECT_AT_ONCE_KIB = 96 * 1024;
/** KiB that a thread frees before it asks all to tidy up: a wake-up for each that sleeps. A guess. */
const ASK_KIB = 16 * 1024;
/** The part of what is in use that may be dead beside it before all are asked: a look through what is kept is then paid for by what it finds. */
const DEAD_PART = 1 / 4;

/** Counts as a reference for the program's object, and lives as long. */
interface StandIn extends SharedObject {
  readonly buffer: SharedArrayBuffer;
}

interface Copy {
  readonly generation: number;
  readonly buffer: SharedArrayBuffer;
  readonly kib: number;
}

function costOf(buffer: SharedArrayBuffer): number {
  return OVERHEAD_KIB + Math.ceil(bytesOfShared(buffer) / 1024);
}

/** Whether a buffer has been sent in this runtime: a thread that joined the mail before it asks, and finds none, has missed nothing. */
export function buffersWereSent({ i32 }: SharedMemory): boolean {
  return Atomics.load(i32, SAB_SENT) !== 0;
}

/** One thread's access to the buffers that are sent. */
export class SharedBuffers {
  private readonly memory: SharedMemory;
  private readonly i32: Int32Array;
  private readonly table: ObjectTable;
  private readonly mail: BufferMail;
  /** By the program's objects. */
  private readonly standIns = new WeakMap<SharedArrayBuffer, StandIn>();
  /** By number of the record. */
  private readonly kept = new Map<number, Copy>();
  private keptKib = 0;
  /** What the program's objects have cost that were made since the last collection. */
  private newKib = 0;
  /** The length of the copies that were let go since then. */
  private droppedKib = 0;
  private collectAtKib: number = COLLECT_KIB;
  /** Milliseconds. */
  private nextCollection = 0;
  /** What was freed here since all were last asked to tidy up. */
  private freedKib = 0;
  private round: number;

  constructor(thread: Thread) {
    const { memory, mail } = thread;
    this.memory = memory;
    this.i32 = memory.i32;
    this.table = objectsOf(thread);
    this.mail = mail;
    this.round = Atomics.load(memory.i32, SAB_ROUND);
    this.table.disposeWith(SHARED_BUFFER_KIND, (base) => this.freed(base));
  }

  /** The stand-in of the program's object. Before a buffer's first, the other threads are sent the buffer. */
  standInOf(buffer: SharedArrayBuffer): StandIn {
    return this.standIns.get(buffer) ?? this.announce(buffer);
  }

  private announce(buffer: SharedArrayBuffer): StandIn {
    const { table } = this;
    const kib = costOf(buffer);
    this.makeRoomFor(kib);
    const index = table.create(SHARED_BUFFER_KIND, kib);
    const standIn = { table, index, buffer };
    // First, so that the reference is given back whatever happens in the next steps: when the program drops the buffer, or this thread dies.
    table.watch(standIn);
    table.markTravelled(standIn);
    const parcel = { index, generation: table.generation(index), buffer };
    this.keep({ ...parcel, buffer: this.mail.twin(buffer) });
    // Before the parcel: a thread that does not see this has joined the mail by now.
    if (this.i32[SAB_SENT] === 0) Atomics.store(this.i32, SAB_SENT, 1);
    this.mail.post(parcel);
    this.standIns.set(buffer, standIn);
    return standIn;
  }

  /** A new object for the program, for a record of which a counted reference is taken over. */
  newStandIn(index: number): StandIn {
    const { buffer: copy, kib } = this.copyOf(index, this.table.generation(index));
    this.makeRoomFor(kib);
    const buffer = this.mail.twin(copy);
    const standIn = { table: this.table, index, buffer };
    this.standIns.set(buffer, standIn);
    return standIn;
  }

  // ── copies ──

  /** Takes what came by mail. */
  accept(parcel: BufferParcel): void {
    const { index, generation } = parcel;
    if (!this.isLive(index, generation)) this.droppedKib += costOf(parcel.buffer) - OVERHEAD_KIB;
    else if (this.kept.get(index)?.generation !== generation) this.keep(parcel);
  }

  /** Visits every copy that is kept of a buffer in use. */
  forEachCopy(visit: (parcel: BufferParcel) => void): void {
    this.kept.forEach(({ generation, buffer }, index) => {
      if (this.isLive(index, generation)) visit({ index, generation, buffer });
    });
  }

  private copyOf(index: number, generation: number): Copy {
    for (;;) {
      const copy = this.kept.get(index);
      if (copy?.generation === generation) return copy;
      const parcel = this.mail.take();
      if (parcel === undefined)
        throw new CorruptValueError(
          `a value names shared buffer ${index} (generation ${generation}), which was never sent`,
        );
      this.accept(parcel);
    }
  }

  private keep({ index, generation, buffer }: BufferParcel): void {
    this.letGo(index);
    const kib = costOf(buffer);
    this.kept.set(index, { generation, buffer, kib });
    this.keptKib += kib;
  }

  private letGo(index: number): void {
    const copy = this.kept.get(index);
    if (copy === undefined) return;
    this.kept.delete(index);
    this.keptKib -= copy.kib;
    this.droppedKib += copy.kib - OVERHEAD_KIB;
  }

  /** Whether this use of the record has not ended. */
  private isLive(index: number, generation: number): boolean {
    const { i32, table } = this;
    return table.generation(index) === generation && Atomics.load(i32, table.baseOf(index) + O_REFS) !== 0;
  }

  // ── letting go ──

  /** The last reference has gone. */
  private freed(base: number): void {
    this.letGo(this.table.indexOf(base));
    this.freedKib += this.i32[base + O_VALUE];
    if (this.freedKib < Math.max(ASK_KIB, this.keptKib * DEAD_PART)) return;
    this.freedKib = 0;
    this.ask();
  }

  /** Asks all threads to tidy up. None misses it: the round is counted before the request for attention, and read after that was taken. One look serves all rounds before it. */
  private ask(): void {
    Atomics.add(this.i32, SAB_ROUND, 1);
    requestTidying(this.memory);
  }

  /** Tidies up if that was asked since the last time. */
  tidyIfAsked(): void {
    const round = Atomics.load(this.i32, SAB_ROUND);
    if (round === this.round) return;
    this.round = round;
    for (let parcel = this.mail.take(); parcel !== undefined; parcel = this.mail.take()) this.accept(parcel);
    this.sweep();
    if (this.isDue(this.droppedKib)) this.collect();
  }

  private sweep(): void {
    this.kept.forEach(({ generation }, index) => {
      if (!this.isLive(index, generation)) this.letGo(index);
    });
  }

  /** The program is about to get an object of this cost. */
  private makeRoomFor(kib: number): void {
    this.newKib += kib;
    if (this.isDue(this.newKib)) this.collect();
  }

  /** Whether so many KiB of possible garbage are worth a collection. As many as were found to be held by the last one may well be held still. */
  private isDue(kib: number): boolean {
    if (kib < this.collectAtKib) return false;
    return kib >= this.collectAtKib + COLLECT_AT_ONCE_KIB || performance.now() >= this.nextCollection;
  }

  /** Collects garbage: program objects that nobody holds are found, and the memory of copies that were let go is freed. That of copies that are let go just by this is freed by the next collection. */
  private collect(): void {
    const before = performance.now();
    this.table.collect();
    const after = performance.now();
    this.nextCollection = after + PAUSE * (after - before);
    this.newKib = 0;
    this.droppedKib = 0;
    this.collectAtKib = Math.max(COLLECT_KIB, this.heldKib());
  }

  /** What the program's objects cost that are still there. */
  private heldKib(): number {
    let held = 0;
    this.kept.forEach(({ kib }, index) => {
      if (this.table.find(index) !== undefined) held += kib;
    });
    return held;
  }
}

const buffers = new WeakMap<Thread, SharedBuffers>();

/** The SharedArrayBuffers that a thread has sent or received. */
export function sharedBuffersOf(thread: Thread): SharedBuffers {
  let own = buffers.get(thread);
  if (own === undefined) buffers.set(thread, (own = new SharedBuffers(thread)));
  return own;
}

/** How SharedArrayBuffers travel in values: their stand-ins do, as sync objects. */
export function sharedBufferKind(thread: Thread): ReferenceKind<SharedArrayBuffer> {
  const own = sharedBuffersOf(thread);
  const standIns = objectKind<StandIn>(
    thread,
    SHARED_BUFFER_KIND,
    SharedArrayBuffer.prototype,
    (_value): _value is StandIn => false,
    (_table, index) => own.newStandIn(index),
  );
  return {
    kind: SHARED_BUFFER_KIND,
    prototype: SharedArrayBuffer.prototype,
    is: isSharedBuffer,
    retain(buffer, words, at) {
      const { table, index } = own.standInOf(buffer);
      table.retain(index);
      words[at] = index;
      words[at + 1] = table.generation(index);
    },
    retainAgain: (index, generation) => standIns.retainAgain(index, generation),
    revive: (index, generation) => standIns.revive(index, generation).buffer,
    release: (index, generation) => standIns.release(index, generation),
  };
}
