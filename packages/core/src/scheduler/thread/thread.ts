/**
 * A thread that takes part in a runtime: host, machine or sysmon, as the rest of the kernel sees it.
 *
 * Here stand what a thread works with and what can be asked of it. What all threads do in the same way stands in the files that build on this one, each a layer of the same class:
 * goroutine-creation, waiters, promises. What each kind does in its own way is in host, sysmon-thread, and machine-thread with what builds on that.
 *
 * The record caches it works on are those of its processor while it holds one, its own otherwise.
 */

import { MisuseError } from "../../base/errors.ts";
import type { JoinHolder } from "../../goroutine/completion.ts";
import { PSEUDO } from "../../goroutine/descriptor.ts";
import { FunctionTable } from "../../goroutine/function-table.ts";
import type { Body } from "../../goroutine/functions.ts";
import type { WaitReason } from "../../goroutine/wait-reason.ts";
import { G_ID, G_MACHINE, G_META, G_WORDS, M_WORDS } from "../../memory/layout.ts";
import type { RecordPool } from "../../memory/record-pool.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import type { Slab } from "../../memory/slab.ts";
import { GlobalQueue } from "../../queue/global-queue.ts";
import { post } from "../../queue/inbox.ts";
import type { ValueCodec } from "../../values/codec.ts";
import type { ReferenceTable } from "../../values/references.ts";
import type { BufferMail } from "../../values/shared-buffers.ts";
import type { Abandonable, Frame, Waitable } from "../frames/frame.ts";
import { FrameTable } from "../frames/frame-table.ts";
import type { Handle } from "../frames/types.ts";
import { IdleCoordinator } from "../idle/idle-coordinator.ts";
import { wake } from "../idle/parker.ts";
import type { Holdings } from "./holdings.ts";
import { OpenHandles } from "./open-handles.ts";
import { goroutinePool, threadCache } from "./thread-pools.ts";
import { Timers } from "./timers.ts";
import { WaitingSelects } from "./waiting-selects.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const WORDS = G_WORDS;
const META = G_META;
const MACHINE = G_MACHINE;
const ID = G_ID / 2;

/** What a thread needs beside the memory. */
export interface ThreadParts {
  readonly memory: SharedMemory;
  /** 0 for the host, else the machine's number. */
  readonly number: number;
  readonly slab: Slab;
  readonly codec: ValueCodec;
  readonly references: ReferenceTable;
  /** How SharedArrayBuffers get to other threads and come from there. */
  readonly mail: BufferMail;
  /** Milliseconds of the runtime's clock, with fractions: steady, and the same on all its threads. */
  readonly clock: () => number;
  /** Where it writes down what its objects hold. */
  readonly holdings: Holdings;
}

export abstract class Thread {
  readonly memory: SharedMemory;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly number: number;
  readonly slab: Slab;
  readonly codec: ValueCodec;
  /** The kinds of objects that travel by reference. */
  readonly references: ReferenceTable;
  /** How SharedArrayBuffers get to other threads and come from there. */
  readonly mail: BufferMail;
  readonly idle: IdleCoordinator;
  readonly globalQueue: GlobalQueue;
  readonly goroutines: RecordPool;
  readonly functions: FunctionTable;
  readonly frames: FrameTable;
  /** Milliseconds of the runtime's clock. */
  readonly clock: () => number;
  readonly timers: Timers;
  /** What others can read of what its objects hold. */
  readonly holdings: Holdings;
  /** Its handles that may still hold a descriptor. */
  readonly openHandles: OpenHandles;
  /** Its selects that wait. */
  readonly waitingSelects: WaitingSelects;
  /** Processor whose heap gets the timers that are started here: the one it holds, or held last; a host has 0. */
  timerHome = 0;
  /** First word of descriptor 0. */
  readonly descriptors: number;
  /** First word of the cache record in use. */
  cache: number;
  private readonly machines: number;

  constructor({ memory, number, slab, codec, references, mail, clock, holdings }: ThreadParts) {
    this.holdings = holdings;
    this.memory = memory;
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.number = number;
    this.slab = slab;
    this.codec = codec;
    this.references = references;
    this.mail = mail;
    this.descriptors = memory.layout.goroutines;
    this.frames = new FrameTable(this.descriptors);
    this.machines = memory.layout.machines;
    this.idle = new IdleCoordinator(memory, number);
    this.globalQueue = new GlobalQueue(memory.i32, memory.layout.goroutines, number);
    this.goroutines = goroutinePool(memory, number);
    this.functions = new FunctionTable(memory, number);
    this.openHandles = new OpenHandles(holdings.handles);
    this.waitingSelects = new WaitingSelects(holdings.selects);
    this.cache = threadCache(memory, number);
    this.clock = clock;
    this.timers = new Timers(this);
  }

  /** First word of a goroutine's descriptor. */
  descriptorOf(goroutine: number): number {
    return this.descriptors + goroutine * WORDS;
  }

  /** This thread, as one that takes joiners out of lists. */
  joinHolder(): JoinHolder {
    return { thread: this.number, record: this.machines + this.number * M_WORDS };
  }

  // ── making ready ──

  /** Makes a waiting goroutine ready: at once if it lives on this thread, else through its machine's inbox. Go's `ready`. */
  ready(goroutine: number): void {
    const { i32 } = this;
    const base = this.descriptors + goroutine * WORDS;
    const machine = i32[base + MACHINE] - 1;
    if (machine === this.number) {
      this.readyHere(goroutine, base);
      return;
    }
    const record = this.machines + machine * M_WORDS;
    post(i32, this.descriptors, record, goroutine);
    wake(i32, record);
  }

  /** Makes waiters ready that waited in this order. Goroutines that live here run in it: the one made ready last is the next to run, so the first is left for the end. */
  readyAll(goroutines: readonly number[]): void {
    const { i32 } = this;
    let first = 0;
    for (const goroutine of goroutines) {
      const base = this.descriptors + goroutine * WORDS;
      const runsHere = i32[base + MACHINE] === this.number + 1 && (i32[base + META] & PSEUDO) === 0;
      if (first === 0 && runsHere) first = goroutine;
      else this.ready(goroutine);
    }
    if (first !== 0) this.ready(first);
  }

  /** Makes a waiter of this very thread ready. */
  protected abstract readyHere(goroutine: number, base: number): void;

  // ── the goroutine that runs now ──

  /** Its frame. */
  abstract currentFrame(): Frame | undefined;
  /** Its context: the number, 0 for the background. */
  abstract currentContext(): number;

  /** First word of its descriptor, 0 for none. */
  currentBase(): number {
    return this.currentFrame()?.base ?? 0;
  }

  /** The goroutine that runs now as the owner of a lock: the low half of its id, never 0; -1 for none. */
  ownerMark(): number {
    return this.currentId() | 0 || -1;
  }

  /** Its id, 0 for none. */
  currentId(): number {
    const base = this.currentBase();
    return base === 0 ? 0 : this.f64[(base >> 1) + ID];
  }

  /** It parks: its frame, with the descriptor marked as waiting. Throws outside a goroutine. */
  abstract parkCurrent(operation: Abandonable, reason: WaitReason): Frame;
  /** What it is to be thrown before it waits: that it is cancelled, if it has not been told. */
  abstract takeCancellation(): Error | undefined;
  /** The goroutine that runs now is about to be thrown its cancellation instead of an operation that was attempted in vain before: whether that goes through by now. */
  abstract goesThroughAfterAll(operation: { attempt(): boolean }): boolean;
  /** The error that the goroutine which was just resumed is to be thrown instead of its operation's outcome. */
  abstract takeInterrupt(): Error | undefined;
  /** It is about to wait for the end of another. Runs that one in its place if it can be had; false if not. */
  runAwaited(_goroutine: number, _base: number): boolean {
    return false;
  }

  /** It has seen that a context is done. If that is its own, or one above it, or one below it that ended with it, it need not be told. */
  abstract noticeDone(context: number): void;
  /** It is thrown another's error. If that other was cancelled, and it is cancelled itself, it need not be told again. */
  abstract noticeError(error: unknown): void;

  // ── starting goroutines: see goroutine-creation.ts ──

  /** Starts a goroutine. Go's `go` with a handle on the outcome. */
  abstract spawn(body: Body, args: readonly unknown[]): Handle<unknown>;
  /** Starts a goroutine that has a name of its own in dumps, or another context than this thread's goroutine. `prepare`, if given, is called with its number before anybody else can know of it. */
  abstract spawnDetailed(
    name: string | undefined,
    context: number | undefined,
    body: Body,
    args: readonly unknown[],
    prepare?: (goroutine: number) => void,
  ): Handle<unknown>;
  /** Starts a goroutine whose result nobody asks for. */
  abstract go(body: Body, args: readonly unknown[]): void;
  /** Like `go`; `onEnd` (see end-hook.ts) is called on the machine where the goroutine ended, with `object`. */
  abstract goWithEnd(body: Body, args: readonly unknown[], object: number): void;
  /** The number this runtime knows a body by. Throws `FunctionError`. */
  abstract functionId(body: Body): number;
  /**
   * Creates a goroutine: a descriptor with function and arguments, runnable, not yet queued. `flags` is DETACHED or 0.
   * Throws `GoroutineLimitError`, `CloneError`, `MemoryLimitError`; then nothing was kept.
   */
  abstract launch(functionId: number, args: readonly unknown[], flags: number): number;
  /** Creates a detached goroutine with a context of its own and an object that is told of its end, not yet queued. */
  abstract launchMember(body: Body, args: readonly unknown[], object: number, context: number): number;
  /** Queues a goroutine that was just created. */
  abstract enqueueNew(goroutine: number): void;
  /** Frees the first `count` argument slots without decoding them. */
  abstract dropSlots(base: number, meta: number, count: number): void;
  /** Gives an ended goroutine's descriptor back. The result must have been taken or dropped. */
  abstract freeDescriptor(goroutine: number, base: number): void;

  // ── waiting otherwise than parked: see promises.ts ──

  /** Throws on the host, also for an operation that would not have to wait: otherwise whether a program works there would be a matter of luck. */
  checkMayBlock(): void {}

  /** Sleeps until the operation's waiter is ready. Returns what to throw instead of the outcome, if anything. Throws on the host. */
  abstract blockOn(operation: Waitable<unknown>): Error | undefined;
  /** Settles a promise with an operation's outcome. */
  abstract promiseFor<T>(
    operation: Waitable<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void;
  /** Waits for an operation on behalf of nobody: it neither keeps the process alive nor is cancelled with a goroutine. `then` is called when it is done. */
  abstract inBackground<T>(operation: Waitable<T>, then: () => void): void;
  /** Runs a generator that is no goroutine's body to its end, as a promise. */
  abstract drive<R>(generator: Generator<unknown, R, unknown>): Promise<R>;
  /** `drive` for a plain body: holds this thread where the generator parks. Throws on the host. */
  abstract driveBlocking<R>(generator: Generator<unknown, R, unknown>): R;
  /** A promise that is rejected with the error of a goroutine that has ended. */
  abstract rejection(error: unknown): Promise<never>;

  /** A goroutine of this thread waits for something of the event loop from now on. */
  externalStarted(): void {}
  /** It no longer does. */
  externalSettled(): void {}
}

/** Refuses what only a goroutine can do. */
export function notInGoroutine(what: string): MisuseError {
  return new MisuseError(`${what} outside a goroutine: on this thread use await`);
}
