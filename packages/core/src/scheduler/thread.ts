/**
 * A thread that takes part in a runtime: what host and machines have in common. It creates goroutines, makes waiters ready, and stands behind operations and handles.
 *
 * The record caches it works on are those of its processor while it holds one, its own otherwise.
 */

import { GoroutineLimitError, MisuseError } from "../base/errors.ts";
import type { JoinHolder } from "../goroutine/completion.ts";
import {
  COUNT_SHIFT,
  DETACHED,
  EXPLICIT_CONTEXT,
  FAILED,
  INLINE_ARGS,
  PACKED,
  PSEUDO,
  SLOT_WORDS,
  TAG_BITS,
  TAG_MASK,
} from "../goroutine/descriptor.ts";
import { FunctionTable } from "../goroutine/function-table.ts";
import { type Body, referenceOf } from "../goroutine/functions.ts";
import { nextGoroutineId } from "../goroutine/identity.ts";
import { RUNNING, transitionToIdle, transitionToRunnableFirst, WAITING } from "../goroutine/status.ts";
import { REASON_AWAIT, type WaitReason } from "../goroutine/wait-reason.ts";
import {
  AWAIT_RESERVE,
  CACHE_SPAWNED,
  CACHE_WORDS,
  G_ARGS,
  G_CANCELED,
  G_CANCELED_ID,
  G_CONTEXT,
  G_FRAME,
  G_FUNCTION,
  G_ID,
  G_JOIN,
  G_MACHINE,
  G_META,
  G_NAME,
  G_NAME_TAG,
  G_NEXT,
  G_ON_END,
  G_PARENT,
  G_PARENT_FUNCTION,
  G_REFS,
  G_SELECT,
  G_STARTER,
  G_STATUS,
  G_WAIT_REASON,
  G_WORDS,
  M_WORDS,
  POOL_AWAIT,
  POOL_G,
  POOL_WORDS,
} from "../memory/layout.ts";
import { POOL_BATCH, RecordPool } from "../memory/record-pool.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import type { Slab } from "../memory/slab.ts";
import { GlobalQueue } from "../queue/global-queue.ts";
import { post } from "../queue/inbox.ts";
import type { ValueCodec } from "../values/codec.ts";
import type { ReferenceTable } from "../values/references.ts";
import { TAG_NUMBER, TAG_UNDEFINED } from "../values/tags.ts";
import { cancellation, isCancellation } from "./cancellation.ts";
import { type Abandonable, FRAME_PROMISE, type Frame, isShielded } from "./frame.ts";
import { FrameTable } from "./frame-table.ts";
import { GoroutineHandle } from "./handle.ts";
import type { Holdings } from "./holdings.ts";
import { IdleCoordinator } from "./idle.ts";
import { foreignYield, type Operation, SUSPENSION } from "./operation.ts";
import { wake } from "./parker.ts";
import { strippedError } from "./stripped-error.ts";
import { Timers } from "./timers.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const WORDS = G_WORDS;
const STATUS = G_STATUS;
const ARGS = G_ARGS;
const META = G_META;
const JOIN = G_JOIN;
const REFS = G_REFS;
const STARTER = G_STARTER;
const MACHINE = G_MACHINE;
const FRAME = G_FRAME;
const CANCELED = G_CANCELED;
const ON_END = G_ON_END;
const PARENT_FUNCTION = G_PARENT_FUNCTION;
const NAME_TAG = G_NAME_TAG;
const SELECT = G_SELECT;
const CONTEXT = G_CONTEXT;
const FUNCTION = G_FUNCTION;
const ID = G_ID / 2;
const PARENT = G_PARENT / 2;
const SPAWNED = CACHE_SPAWNED / 2;
const NUMBER = TAG_NUMBER;
const BITS = TAG_BITS;
const COUNT = COUNT_SHIFT;
const INLINE = INLINE_ARGS;

/** Handles without an outcome before the first look at which of them have ended. A guess at more than most programs have at once. */
const HANDLE_ROUND = 4096;

const ARGUMENT_NAMES = ["args[0]", "args[1]", "args[2]", "args[3]"];

/** What a thread needs beside the memory. */
export interface ThreadParts {
  readonly memory: SharedMemory;
  /** 0 for the host, else the machine's number. */
  readonly number: number;
  readonly slab: Slab;
  readonly codec: ValueCodec;
  readonly references: ReferenceTable;
  /** Milliseconds of the runtime's clock, with fractions: steady, and the same on all its threads. */
  readonly clock: () => number;
  /** Where it writes down what its objects hold. */
  readonly holdings: Holdings;
}

/** First word of the cache record that a thread uses while it holds no processor. */
export function threadCache(memory: SharedMemory, thread: number): number {
  return memory.layout.caches + (memory.shape.procs + thread) * CACHE_WORDS;
}

/** Descriptors of waiters moved at once: few wait at the same time on most threads. */
const AWAIT_BATCH = 8;

/** Where the goroutine descriptors are pooled. */
export function goroutinePool(memory: SharedMemory, thread: number): RecordPool {
  const { maxGoroutines, procs } = memory.shape;
  // What lies free in the caches of others cannot be had: with small batches that is at most a quarter of a small table.
  const batch = Math.max(1, Math.min(POOL_BATCH, Math.floor(maxGoroutines / (8 * (procs + 1)))));
  return descriptorPool(memory, thread, POOL_G, maxGoroutines + 1, batch);
}

/** The descriptors for those who wait and are no goroutines. */
function awaitPool(memory: SharedMemory, thread: number): RecordPool {
  const end = memory.shape.maxGoroutines + 1 + AWAIT_RESERVE;
  return descriptorPool(memory, thread, POOL_AWAIT, end, AWAIT_BATCH);
}

function descriptorPool(
  memory: SharedMemory,
  thread: number,
  kind: number,
  capacity: number,
  batch: number,
): RecordPool {
  const { layout } = memory;
  const pool = layout.pools + kind * POOL_WORDS;
  const region = { kind, pool, base: layout.goroutines, stride: G_WORDS, capacity, link: G_NEXT, batch };
  return new RecordPool(memory.i32, region, thread, threadCache(memory, thread));
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
  readonly idle: IdleCoordinator;
  readonly globalQueue: GlobalQueue;
  readonly goroutines: RecordPool;
  /** Always in this thread's own cache. */
  private readonly awaits: RecordPool;
  readonly functions: FunctionTable;
  readonly frames: FrameTable;
  /** Milliseconds of the runtime's clock. */
  readonly clock: () => number;
  readonly timers: Timers;
  /** What others can read of what its objects hold. */
  readonly holdings: Holdings;
  /** Processor whose heap gets the timers that are started here: the one it holds, or held last; a host has 0. */
  timerHome = 0;
  /** First word of descriptor 0. */
  readonly descriptors: number;
  /** First word of the cache record in use. */
  cache: number;
  private readonly machines: number;
  /** Handles of this thread that may still hold a descriptor. */
  private readonly handles: GoroutineHandle<unknown>[] = [];
  /** Whose promise is being settled. */
  private settling: Frame | undefined = undefined;
  private collectHandlesAt = HANDLE_ROUND;

  constructor({ memory, number, slab, codec, references, clock, holdings }: ThreadParts) {
    this.holdings = holdings;
    this.memory = memory;
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.number = number;
    this.slab = slab;
    this.codec = codec;
    this.references = references;
    this.descriptors = memory.layout.goroutines;
    this.frames = new FrameTable(this.descriptors);
    this.machines = memory.layout.machines;
    this.idle = new IdleCoordinator(memory, number);
    this.globalQueue = new GlobalQueue(memory.i32, memory.layout.goroutines, number);
    this.goroutines = goroutinePool(memory, number);
    this.awaits = awaitPool(memory, number);
    this.functions = new FunctionTable(memory, number);
    this.cache = threadCache(memory, number);
    this.clock = clock;
    this.timers = new Timers(this);
  }

  // ── goroutines ──

  /** First word of a goroutine's descriptor. */
  descriptorOf(goroutine: number): number {
    return this.descriptors + goroutine * WORDS;
  }

  /** Starts a goroutine. Go's `go` with a handle on the outcome. */
  spawn(body: Body, args: readonly unknown[]): GoroutineHandle<unknown> {
    const goroutine = this.launch(this.functionId(body), args, 0);
    // The handle first: once queued, the goroutine may end before the next line.
    const handle = new GoroutineHandle<unknown>(this, goroutine);
    this.enqueueNew(goroutine);
    return handle;
  }

  /** Queues a goroutine that was just created. */
  abstract enqueueNew(goroutine: number): void;
  /** Makes a waiter of this very thread ready. */
  protected abstract readyHere(goroutine: number, base: number): void;
  /** The goroutine that runs now parks: its frame, with the descriptor marked as waiting. Throws outside a goroutine. */
  abstract parkCurrent(operation: Abandonable, reason: WaitReason): Frame;
  /** The frame of the goroutine that runs now. */
  abstract currentFrame(): Frame | undefined;
  /** What the current goroutine is to be thrown before it waits: that it is cancelled, if it has not been told. */
  abstract takeCancellation(): Error | undefined;
  /** Takes `parkCurrent` back. */
  abstract unparkCurrent(frame: Frame): void;
  /** The error that the goroutine which was just resumed is to be thrown instead of its operation's outcome. */
  abstract takeInterrupt(): Error | undefined;
  /** Sleeps until the operation's waiter is ready. Returns what to throw instead of the outcome, if anything. Throws on the host. */
  abstract blockOn(operation: Operation<unknown>): Error | undefined;
  /** The goroutine that runs now is about to wait for the end of another. Runs that one in its place if it can be had; false if not. */
  runAwaited(_goroutine: number, _base: number): boolean {
    return false;
  }

  /** First descriptor word of the goroutine that runs now, 0 for none. */
  currentBase(): number {
    return this.currentFrame()?.base ?? 0;
  }

  /** This thread, as one that takes joiners out of lists. */
  joinHolder(): JoinHolder {
    return { thread: this.number, record: this.machines + this.number * M_WORDS };
  }

  /** Id of the goroutine that runs now, 0 for none. */
  currentId(): number {
    const base = this.currentBase();
    return base === 0 ? 0 : this.f64[(base >> 1) + ID];
  }

  /** Context of the goroutine that runs now: its number, 0 for the background. */
  abstract currentContext(): number;

  /**
   * Creates a goroutine: a descriptor with function and arguments, runnable, not yet queued. `flags` is DETACHED or 0.
   * Throws `GoroutineLimitError`, `CloneError`, `MemoryLimitError`; then nothing was kept.
   */
  launch(functionId: number, args: readonly unknown[], flags: number): number {
    const { i32, f64 } = this;
    let goroutine = this.goroutines.take();
    if (goroutine === 0) goroutine = this.takeWhenFull();
    const base = this.descriptors + goroutine * WORDS;
    const count = args.length;
    let meta = flags | (count << COUNT);
    if (count <= INLINE) {
      for (let i = 0; i < count; i++) {
        const value = args[i];
        if (typeof value === "number") {
          f64[((base + ARGS) >> 1) + i] = value;
          meta |= NUMBER << (i * BITS);
        } else {
          meta |= this.putArgument(goroutine, base, meta, i, value, ARGUMENT_NAMES[i]) << (i * BITS);
        }
      }
    } else {
      meta = flags | (PACKED << COUNT) | this.putArgument(goroutine, base, 0, 0, args, "args");
    }
    i32[base + META] = meta;
    i32[base + FUNCTION] = functionId;
    i32[base + JOIN] = 0;
    i32[base + REFS] = 1;
    i32[base + STARTER] = this.number;
    i32[base + MACHINE] = 0;
    i32[base + FRAME] = 0;
    i32[base + CANCELED] = 0;
    i32[base + ON_END] = 0;
    i32[base + NAME_TAG] = 0;
    i32[base + SELECT] = 0;
    const context = this.currentContext();
    i32[base + CONTEXT] = context;
    if (context !== 0) cancellation.retain(this, context);
    const at = base >> 1;
    f64[at + ID] = nextGoroutineId(i32, f64, this.cache);
    const parent = this.currentBase();
    f64[at + PARENT] = parent === 0 ? 0 : f64[(parent >> 1) + ID];
    i32[base + PARENT_FUNCTION] = parent === 0 ? 0 : i32[parent + FUNCTION];
    transitionToRunnableFirst(i32, base);
    f64[(this.cache >> 1) + SPAWNED]++;
    return goroutine;
  }

  /** Encodes an argument that is not a number. If it cannot be, the descriptor and the arguments before it are given back. */
  private putArgument(
    goroutine: number,
    base: number,
    meta: number,
    index: number,
    value: unknown,
    where: string,
  ): number {
    try {
      return this.codec.put(base + ARGS + index * SLOT_WORDS, value, where);
    } catch (error) {
      this.dropSlots(base, meta, index);
      this.goroutines.give(goroutine);
      throw error;
    }
  }

  /** Frees the first `count` argument slots without decoding them. */
  dropSlots(base: number, meta: number, count: number): void {
    for (let i = 0; i < count; i++)
      this.codec.drop(base + ARGS + i * SLOT_WORDS, (meta >>> (i * BITS)) & TAG_MASK);
  }

  private takeWhenFull(): number {
    this.collectHandles();
    const goroutine = this.goroutines.take();
    if (goroutine !== 0) return goroutine;
    const { maxGoroutines } = this.memory.shape;
    throw new GoroutineLimitError(
      `the goroutine table is full: maxGoroutines is ${maxGoroutines} and that many are in use`,
    );
  }

  /** Gives an ended goroutine's descriptor back. The result must have been taken or dropped. */
  freeDescriptor(goroutine: number, base: number): void {
    const nameTag = this.i32[base + NAME_TAG];
    if (nameTag !== 0) this.codec.drop(base + G_NAME, nameTag);
    transitionToIdle(this.i32, base);
    this.goroutines.give(goroutine);
  }

  /** The number this runtime knows a body by. Throws `FunctionError`. */
  functionId(body: Body): number {
    const reference = referenceOf(body);
    if (reference.user === this) return reference.id;
    reference.id = this.functions.intern(reference.url, reference.name);
    reference.user = this;
    return reference.id;
  }

  /** Starts a goroutine that has a name of its own in dumps, or another context than this thread's goroutine. */
  spawnDetailed(
    name: string | undefined,
    context: number | undefined,
    body: Body,
    args: readonly unknown[],
  ): GoroutineHandle<unknown> {
    const goroutine = this.launch(this.functionId(body), args, 0);
    const base = this.descriptors + goroutine * WORDS;
    if (name !== undefined) this.i32[base + NAME_TAG] = this.codec.put(base + G_NAME, name, "options.name");
    if (context !== undefined) this.changeContext(base, context);
    const handle = new GoroutineHandle<unknown>(this, goroutine);
    this.enqueueNew(goroutine);
    return handle;
  }

  /** Creates a detached goroutine with a context of its own and an object that is told of its end, not yet queued. */
  launchMember(body: Body, args: readonly unknown[], object: number, context: number): number {
    const goroutine = this.launch(this.functionId(body), args, DETACHED);
    const base = this.descriptors + goroutine * WORDS;
    this.i32[base + ON_END] = object;
    this.changeContext(base, context);
    return goroutine;
  }

  /** Makes a context that was just created, and whose reference the caller keeps, the goroutine's own. */
  useContext(base: number, context: number): void {
    const explicit = this.i32[base + META] & EXPLICIT_CONTEXT;
    this.changeContext(base, context);
    if (explicit === 0) this.i32[base + META] &= ~EXPLICIT_CONTEXT;
  }

  /** Gives a goroutine of this thread another context; its number, 0 for the background. */
  changeContext(base: number, context: number): void {
    const before = this.i32[base + CONTEXT];
    if (context !== 0) cancellation.retain(this, context);
    Atomics.store(this.i32, base + CONTEXT, context);
    this.i32[base + META] |= EXPLICIT_CONTEXT;
    if (before !== 0) cancellation.release(this, before);
  }

  /** Starts a goroutine whose result nobody asks for. */
  go(body: Body, args: readonly unknown[]): void {
    this.enqueueNew(this.launch(this.functionId(body), args, DETACHED));
  }

  /** Like `go`; `onEnd` (see end-hook.ts) is called on the machine where the goroutine ended, with `object`. */
  goWithEnd(body: Body, args: readonly unknown[], object: number): void {
    const goroutine = this.launch(this.functionId(body), args, DETACHED);
    this.i32[this.descriptors + goroutine * WORDS + ON_END] = object;
    this.enqueueNew(goroutine);
  }

  // ── results ──

  /**
   * Stores a goroutine's result, or the error it ended with. A value that cannot be copied becomes the `CloneError` that says so; an error that cannot be
   * copied (it has a function among its properties, say) is stripped down to what can.
   */
  putResult(base: number, value: unknown, failed: boolean): void {
    const { i32, f64 } = this;
    if (typeof value === "number") {
      f64[(base + ARGS) >> 1] = value;
      i32[base + META] = (i32[base + META] & ~TAG_MASK) | NUMBER | (failed ? FAILED : 0);
      return;
    }
    let tag = TAG_UNDEFINED;
    if (value !== undefined) {
      try {
        tag = this.codec.put(base + ARGS, value, failed ? "error" : "result");
      } catch (error) {
        const substitute = failed ? strippedError(value) : error;
        tag = this.putSubstitute(base, substitute);
        failed = true;
      }
    }
    i32[base + META] = (i32[base + META] & ~TAG_MASK) | tag | (failed ? FAILED : 0);
  }

  private putSubstitute(base: number, error: unknown): number {
    try {
      return this.codec.put(base + ARGS, error, "error");
    } catch {
      // Not even that fits: the slab is full. A string in the slot needs no room.
      return this.codec.put(base + ARGS, "no room", "error");
    }
  }

  // ── waiters ──

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

  /** A pseudo-goroutine of this thread, waiting, so that it can stand in a queue. */
  newWaiter(kind: number, reason: WaitReason): Frame {
    const { i32, f64 } = this;
    let goroutine = this.awaits.take();
    if (goroutine === 0) goroutine = this.goroutines.take();
    if (goroutine === 0) goroutine = this.takeWhenFull();
    const base = this.descriptors + goroutine * WORDS;
    const frame = this.frames.take();
    frame.goroutine = goroutine;
    frame.base = base;
    frame.kind = kind;
    frame.woken = false;
    this.setOwner(frame);
    i32[base + META] = PSEUDO;
    i32[base + NAME_TAG] = 0;
    i32[base + SELECT] = 0;
    i32[base + MACHINE] = this.number + 1;
    i32[base + FRAME] = this.frames.add(frame);
    i32[base + CANCELED] = 0;
    i32[base + STATUS] = WAITING;
    i32[base + G_WAIT_REASON] = reason;
    f64[(base >> 1) + ID] = 0;
    f64[(base >> 1) + PARENT] = this.currentId();
    return frame;
  }

  private setOwner(frame: Frame): void {
    const owner = this.currentFrame();
    if (owner === undefined) return;
    this.settleInTable(owner);
    frame.setOwner(owner.base, this.f64[(owner.base >> 1) + ID]);
  }

  /** The goroutine that a promise or a blocked thread waits for; `undefined` for none, or one that has ended. */
  protected ownerOf(frame: Frame): Frame | undefined {
    if (frame.ownerId === 0 || this.f64[(frame.ownerBase >> 1) + ID] !== frame.ownerId) return undefined;
    const place = this.i32[frame.ownerBase + FRAME];
    return place === 0 ? undefined : this.frames.at(place);
  }

  /** The frame outlives this step of the scheduler: it needs a place that the descriptor can name. */
  protected settleInTable(frame: Frame): void {
    const { i32 } = this;
    if (i32[frame.base + FRAME] === 0) i32[frame.base + FRAME] = this.frames.add(frame);
  }

  /** Gives a pseudo-goroutine back. It must be in no queue. */
  freeWaiter(frame: Frame): void {
    const { i32 } = this;
    const { base, goroutine } = frame;
    this.frames.remove(i32[base + FRAME], frame);
    i32[base + STATUS] = 0;
    this.giveWaiter(goroutine);
  }

  /** Gives the descriptor of a pseudo-goroutine back. */
  giveWaiter(goroutine: number): void {
    const pool = goroutine > this.memory.shape.maxGoroutines ? this.awaits : this.goroutines;
    pool.give(goroutine);
  }

  /** Settles a promise with an operation's outcome. */
  promiseFor<T>(
    operation: Operation<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    if (operation.attempt()) {
      resolve(operation.finish());
      return;
    }
    const canceled = this.takeCancellation();
    if (canceled !== undefined) throw canceled;
    const frame = this.newWaiter(FRAME_PROMISE, operation.reason);
    this.promiseStarted();
    const settle = (): void => {
      let outcome: T;
      try {
        if (!this.isOver(operation, frame)) return;
        this.settling = this.ownerOf(frame);
        outcome = operation.finish();
      } catch (error) {
        this.endPromise(frame);
        reject(error);
        return;
      } finally {
        this.settling = undefined;
      }
      this.endPromise(frame);
      resolve(outcome);
    };
    frame.wake = settle;
    frame.fail = reject;
    frame.operation = operation;
    if (operation.enqueue(frame.goroutine, frame.base)) return;
    this.endPromise(frame);
    resolve(operation.finish());
  }

  /**
   * Runs a generator that is no goroutine's body to its end, as a promise: for a call that an async body or the host was given. Where it parks, a pseudo-goroutine waits in its place;
   * its steps run in microtasks of this thread.
   */
  async drive<R>(generator: Generator<unknown, R, unknown>): Promise<R> {
    const frame = this.newDriven(FRAME_PROMISE, generator);
    this.promiseStarted();
    try {
      for (;;) {
        const result = this.stepDriven(frame);
        if (result.done) return result.value as R;
        // Nobody can have made it ready yet: this thread has not looked since.
        await new Promise<void>((resolve, reject) => {
          frame.wake = resolve;
          frame.fail = reject;
        });
      }
    } finally {
      this.endPromise(frame);
    }
  }

  /** `drive` for a plain body: holds this thread where the generator parks. Throws on the host. */
  driveBlocking<R>(_generator: Generator<unknown, R, unknown>): R {
    throw notInGoroutine("block()");
  }

  /** Runs `step` with this frame as the one that parks. */
  protected asCurrent<R>(_frame: Frame, _step: () => R): R {
    throw notInGoroutine("await");
  }

  /** The frame of a generator that has no goroutine. */
  protected newDriven(kind: number, generator: Generator<unknown, unknown, unknown>): Frame {
    const frame = this.newWaiter(kind, REASON_AWAIT);
    frame.generator = generator;
    return frame;
  }

  /** Runs a driven generator until it parks or ends. */
  protected stepDriven(frame: Frame): IteratorResult<unknown, unknown> {
    const { i32 } = this;
    const generator = frame.generator as Generator<unknown, unknown, unknown>;
    const owner = this.ownerOf(frame);
    frame.operation = undefined;
    i32[frame.base + STATUS] = RUNNING;
    // What parks looks here first, whether its goroutine is cancelled, and only then asks the goroutine that is meant.
    if (owner !== undefined) i32[frame.base + CANCELED] = Atomics.load(i32, owner.base + CANCELED);
    return this.asCurrent(frame, () => {
      let result = generator.next();
      while (!result.done && result.value !== SUSPENSION) result = generator.throw(foreignYield());
      return result;
    });
  }

  private endPromise(frame: Frame): void {
    this.freeWaiter(frame);
    this.promiseSettled();
  }

  /** The waiter of a promise or of a blocked thread was made ready. False if its operation waits once more; throws what the operation throws instead of its outcome. */
  protected isOver(operation: Operation<unknown>, frame: Frame): boolean {
    const { interrupt } = frame;
    frame.interrupt = undefined;
    if (operation.resume(interrupt)) return true;
    const canceled = this.cancellationOf(this.ownerOf(frame) ?? frame);
    if (canceled !== undefined && operation.resume(canceled)) return true;
    return operation.attempt() || !operation.enqueue(frame.goroutine, frame.base);
  }

  /** The context whose end ends the goroutine whose descriptor is at `base`; 0 for none, and for a mark that came too late for an earlier goroutine. */
  protected cancelMark(base: number): number {
    const context = Atomics.load(this.i32, base + CANCELED);
    if (context === 0) return 0;
    return this.i32[base + G_CANCELED_ID] === (this.f64[(base >> 1) + ID] | 0) ? context : 0;
  }

  /** The error by which a goroutine learns that it is cancelled, if it is and has not been told. */
  protected cancellationOf(frame: Frame): Error | undefined {
    if (isShielded(frame)) return undefined;
    const context = this.cancelMark(frame.base);
    if (context === 0) return undefined;
    frame.cancelTold = true;
    return cancellation.errorOf(this, context);
  }

  /** The goroutine that runs now has seen that a context is done. If it is its own, or one above it, or one below it that ended with it, it need not be told. */
  noticeDone(context: number): void {
    const frame = this.settling ?? this.currentFrame();
    if (frame === undefined) return;
    const own = this.i32[frame.base + CONTEXT];
    if (own === 0) return;
    const endedWithOwn = cancellation.isDone(this, own) && cancellation.isWithin(this, context, own);
    if (endedWithOwn || cancellation.isWithin(this, own, context)) frame.cancelTold = true;
  }

  /** The goroutine that runs now is thrown another's error. If that other was cancelled, and it is cancelled itself, it need not be told again. */
  noticeError(error: unknown): void {
    if (!isCancellation(error)) return;
    const frame = this.settling ?? this.currentFrame();
    if (frame !== undefined && this.cancelMark(frame.base) !== 0) frame.cancelTold = true;
  }

  /** Waits for an operation on behalf of nobody: it neither keeps the process alive nor is cancelled with a goroutine. `then` is called when it is done. */
  inBackground<T>(operation: Operation<T>, then: () => void): void {
    if (operation.attempt()) {
      then();
      return;
    }
    const frame = this.newWaiter(FRAME_PROMISE, operation.reason);
    frame.setOwner(0, 0);
    frame.wake = () => {
      this.freeWaiter(frame);
      then();
    };
    if (!operation.enqueue(frame.goroutine, frame.base)) frame.wake();
  }

  /** A goroutine of this thread waits for something of the event loop from now on. */
  externalStarted(): void {}
  /** It no longer does. */
  externalSettled(): void {}
  /** A promise that is rejected with the error of a goroutine that has ended. */
  rejection(error: unknown): Promise<never> {
    return Promise.reject(error);
  }

  /** A promise of this thread waits for the runtime from now on. */
  protected abstract promiseStarted(): void;
  /** It no longer does. */
  protected abstract promiseSettled(): void;

  // ── handles ──

  /** Registers a handle whose goroutine has not ended, so that the descriptor comes back when it has, joined or not. */
  adopt(handle: GoroutineHandle<unknown>): void {
    const { handles } = this;
    const place = handles.length;
    handle.place = place;
    handles.push(handle);
    this.holdings.handles[place] = handle.goroutine;
    if (handles.length >= this.collectHandlesAt) this.collectHandles();
  }

  /** The handle has its outcome. The last one registered takes its place, so that those that were joined leave no trace. */
  forget(handle: GoroutineHandle<unknown>): void {
    const { handles } = this;
    const last = handles.pop() as GoroutineHandle<unknown>;
    const held = this.holdings.handles;
    held[handles.length] = 0;
    if (last === handle) return;
    held[handle.place] = last.goroutine;
    handles[handle.place] = last;
    last.place = handle.place;
  }

  /**
   * Lets ended goroutines go: their results move into the handles, their descriptors back into the pool. Runs when the number of handles has doubled, so it
   * costs a spawn a constant, and when descriptors run out. No finalizer is needed: a handle that nobody holds keeps its descriptor only until the next such round.
   */
  collectHandles(): void {
    // From the end, since a handle that is settled is replaced by the last.
    for (let i = this.handles.length - 1; i >= 0; i--) this.handles[i]?.trySettle();
    this.collectHandlesAt = Math.max(HANDLE_ROUND, this.handles.length * 2);
  }
}

/** Refuses what only a goroutine can do. */
export function notInGoroutine(what: string): MisuseError {
  return new MisuseError(`${what} outside a goroutine: on this thread use await`);
}
