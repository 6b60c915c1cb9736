/**
 * The host's side of a runtime: the thread that started it. It runs no goroutines and is never blocked.
 *
 * *Out*: goroutines that the host starts go to the global queue. The first of a burst goes at once, so that a machine wakes while the host prepares the others; the rest go in batches.
 *
 * *In*: an ended goroutine that the host waits for comes back as its own descriptor, through the host's inbox; a waiter of the host (a promise on some operation) comes the same way. Machines
 * ring only when the host has said that it sleeps: one wake-up serves whatever has come by then.
 */

import { type HeddleError, NoRuntimeError } from "../../base/errors.ts";
import { HOST, isDone, releaseHandle } from "../../goroutine/completion.ts";
import { FAILED, PSEUDO, TAG_MASK } from "../../goroutine/descriptor.ts";
import type { Body } from "../../goroutine/functions.ts";
import { transitionToWaiting } from "../../goroutine/status.ts";
import { REASON_JOIN, type WaitReason } from "../../goroutine/wait-reason.ts";
import {
  G_ARGS,
  G_FRAME,
  G_JOIN,
  G_META,
  G_NEXT,
  G_STARTER,
  G_WORDS,
  P_WORDS,
  SCHED_CLOSING,
  SCHED_WANTED,
} from "../../memory/layout.ts";
import * as inbox from "../../queue/inbox.ts";
import { RunQueueStealer } from "../../queue/run-queue.ts";
import { TAG_NUMBER } from "../../values/tags.ts";
import type { Abandonable, Frame, Waitable } from "../frames/frame.ts";
import { CLOSED, DRAINING } from "../idle/idle-coordinator.ts";
import { ASLEEP_IN_EVENT_LOOP, announceSleep, NAPPING, stayAwake } from "../idle/parker.ts";
import { OutsideThread } from "./outside-thread.ts";
import { notInGoroutine, type ThreadParts } from "./thread.ts";

const NUMBER = TAG_NUMBER;
const WORDS = G_WORDS;
const JOIN = G_JOIN;
const SLOT = G_STARTER;
const ASKED = HOST;

/** Goroutines handed over at once: large enough to make the lock cheap, small enough that machines start early. */
const BATCH = 64;

/** What the host's package provides. */
export interface HostPlatform {
  /** The first promise began to wait for the runtime (true), or the last was settled (false). */
  keepAlive(pending: boolean): void;
  /** Something was submitted: its result will come soon. */
  expectResults(): void;
  /** Adds the host's stack to an error from a goroutine, and rejects with it. */
  rejectWithSite(resolve: (value: unknown) => void, error: unknown): void;
}

type Resolve = (value: unknown) => void;

let captured: Resolve;

/** The executor of every run's promise. One for all, and no `reject`, which a rejected promise given to `resolve` stands for: a hundred thousand runs may be pending at once, and what each keeps is copied by the garbage collector. */
function capture(resolve: Resolve): void {
  captured = resolve;
}

export class HostThread extends OutsideThread {
  private readonly platform: HostPlatform;
  private readonly record: number;
  private readonly batch: Int32Array = new Int32Array(BATCH);
  private batched = 0;
  private flushDue = false;
  /** What settles the promises of the runs that are pending, by slot. */
  private readonly runs: (Resolve | undefined)[] = [undefined];
  /** By the same places: the goroutine that each waits for. */
  private readonly runGoroutines: number[] = [0];
  private readonly freeRuns: number[] = [];
  private readonly stealers: readonly RunQueueStealer[];
  /** The frame of the generator that is driven just now. */
  private driven: Frame | undefined = undefined;
  private pending = 0;
  private failure: HeddleError | undefined = undefined;

  constructor(parts: ThreadParts, platform: HostPlatform) {
    super(parts);
    this.platform = platform;
    const { layout, shape } = this.memory;
    this.record = layout.machines;
    this.stealers = Array.from(
      { length: shape.procs },
      (_, p) => new RunQueueStealer(this.i32, layout.processors + p * P_WORDS),
    );
    this.idle.initialise();
  }

  // ── out ──

  /** Starts a goroutine and settles a promise with its outcome. */
  run(body: Body, args: readonly unknown[]): Promise<unknown> {
    let goroutine: number;
    try {
      goroutine = this.launch(this.functionId(body), args, 0);
    } catch (error) {
      return Promise.reject(error);
    }
    const promise = new Promise(capture);
    const base = this.descriptors + goroutine * WORDS;
    this.i32[base + JOIN] = ASKED;
    const slot = this.addRun(captured);
    this.i32[base + SLOT] = slot;
    this.runGoroutines[slot] = goroutine;
    this.promiseStarted();
    this.enqueueNew(goroutine);
    return promise;
  }

  override launch(functionId: number, args: readonly unknown[], flags: number): number {
    if (this.failure !== undefined) throw this.failure;
    return super.launch(functionId, args, flags);
  }

  enqueueNew(goroutine: number): void {
    if (this.flushDue) {
      this.batch[this.batched++] = goroutine;
      if (this.batched === BATCH) this.flushAndDrain();
      return;
    }
    this.flushDue = true;
    void Promise.resolve().then(() => {
      this.flushDue = false;
      if (this.batched > 0) this.flush();
    });
    this.globalQueue.push(goroutine);
    this.idle.wakeOneIfIdle();
    this.platform.expectResults();
  }

  /** Queues what was started and is still kept for a batch. */
  flushNew(): void {
    if (this.batched > 0) this.flush();
  }

  /**
   * Between two batches of a long burst: what the machines have done by now is settled at once. Its descriptors serve the next batch while they are in the cache, and what its promises kept need not outlive the
   * burst, in which the garbage collector would copy it again and again. (Settling runs nothing of the program's: that comes in microtasks.)
   */
  private flushAndDrain(): void {
    this.flush();
    this.drain();
  }

  private flush(): void {
    this.globalQueue.pushChain(this.batch, this.batched);
    this.batched = 0;
    this.idle.wakeOneIfIdle();
  }

  private addRun(run: Resolve): number {
    const slot = this.freeRuns.pop();
    if (slot === undefined) return this.runs.push(run) - 1;
    this.runs[slot] = run;
    return slot;
  }

  // ── in ──

  /** Settles what has come in. Returns whether anything had. */
  drain(): boolean {
    const { i32, descriptors } = this;
    let at = inbox.takeAll(i32, descriptors, this.record);
    if (at === 0) return false;
    while (at !== 0) {
      const base = descriptors + at * G_WORDS;
      const following = i32[base + G_NEXT];
      if ((i32[base + G_META] & PSEUDO) !== 0) this.readyHere(at, base);
      else this.finishRun(at, base);
      at = following;
    }
    return true;
  }

  /** Settles runs whose goroutine has ended on a thread that died before it could tell. While all machines are held. */
  finishForgotten(): void {
    this.drain();
    for (let slot = 1; slot < this.runs.length; slot++) {
      if (this.runs[slot] === undefined) continue;
      const goroutine = this.runGoroutines[slot] as number;
      const base = this.descriptorOf(goroutine);
      if (isDone(this.i32, base)) this.finishRun(goroutine, base);
    }
  }

  /** Settles the promise of a run whose goroutine has ended. */
  finishRun(goroutine: number, base: number): void {
    const { i32 } = this;
    const meta = i32[base + G_META];
    const tag = meta & TAG_MASK;
    const slot = i32[base + G_STARTER];
    const run = this.runs[slot];
    this.runs[slot] = undefined;
    this.freeRuns.push(slot);
    let failed = (meta & FAILED) !== 0;
    let value: unknown;
    try {
      value = tag === NUMBER ? this.f64[(base + G_ARGS) >> 1] : this.codec.take(base + G_ARGS, tag);
    } catch (error) {
      value = error;
      failed = true;
    }
    if (releaseHandle(i32, base)) this.freeDescriptor(goroutine, base);
    else i32[base + G_META] &= ~TAG_MASK;
    this.promiseSettled();
    if (!failed) run?.(value);
    else if (run !== undefined) this.platform.rejectWithSite(run, value);
  }

  override rejection(error: unknown): Promise<never> {
    return new Promise((resolve) => this.platform.rejectWithSite(resolve as (value: unknown) => void, error));
  }

  override promiseFor<T>(
    operation: Waitable<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    if (operation.reason !== REASON_JOIN) super.promiseFor(operation, resolve, reject);
    else
      super.promiseFor(operation, resolve, (error) =>
        this.platform.rejectWithSite(resolve as (value: unknown) => void, error),
      );
  }

  protected readyHere(_goroutine: number, base: number): void {
    const frame = this.frames.at(this.i32[base + G_FRAME]);
    this.noteWoken(frame);
    frame.wake?.();
  }

  protected promiseStarted(): void {
    if (this.pending++ === 0) this.platform.keepAlive(true);
  }

  protected promiseSettled(): void {
    if (--this.pending === 0) this.platform.keepAlive(false);
  }

  /** Whether a promise waits for the runtime. */
  get hasPending(): boolean {
    return this.pending > 0;
  }

  /** Whether no more promises wait than there are processors: then each result may be what the next task waits for. */
  get fewPending(): boolean {
    return this.pending <= this.memory.shape.procs;
  }

  /** Says that the host is about to sleep in its event loop. False, and not said, if something has come meanwhile. */
  announceSleep(): boolean {
    return this.announce(ASLEEP_IN_EVENT_LOOP);
  }

  /** Says that the host is about to nap: machines do not ring for results until one of them is out of work. False, and not said, if something has come meanwhile, a processor is idle, or
   * one will be with the next result: while no more promises wait than there are processors. */
  announceNap(): boolean {
    return !this.fewPending && this.idle.noneIdle() && this.announce(NAPPING);
  }

  private announce(how: number): boolean {
    const { i32, record } = this;
    announceSleep(i32, record, how);
    if (inbox.isEmpty(i32, record) && Atomics.load(i32, SCHED_WANTED) === 0) return true;
    stayAwake(i32, record);
    return false;
  }

  /** The host is awake: machines need not ring. */
  stayAwake(): void {
    stayAwake(this.i32, this.record);
  }

  /** Whether goroutines wait for a machine that takes them. */
  isWorkSomewhere(): boolean {
    return this.globalQueue.size() !== 0 || this.stealers.some((stealer) => !stealer.isEmpty());
  }

  // ── the end ──

  /** Asks the machines to say when all processors are idle. */
  startDraining(): void {
    Atomics.store(this.i32, SCHED_CLOSING, DRAINING);
  }

  /** Tells the machines to leave, and rejects what still waits. */
  shutDown(error: HeddleError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    Atomics.store(this.i32, SCHED_CLOSING, CLOSED);
    const waiting = this.runs.splice(1);
    for (const run of waiting) {
      if (run === undefined) continue;
      this.promiseSettled();
      run(Promise.reject(error));
    }
    this.frames.forEach((frame) => frame.fail?.(error));
  }

  /** Why nothing can be started any more. */
  get closedBecause(): HeddleError | undefined {
    return this.failure;
  }

  // ── generators that are driven here ──

  override takeInterrupt(): undefined {
    const { driven } = this;
    if (driven?.operation !== undefined) throw this.wentOn(driven);
  }

  /** Only a generator that is driven for a promise can park here; see `drive`. */
  parkCurrent(operation: Abandonable, reason: WaitReason): Frame {
    const { driven } = this;
    if (driven === undefined) throw notInGoroutine("yield*");
    if (driven.operation !== undefined) throw this.wentOn(driven);
    transitionToWaiting(this.i32, driven.base, reason);
    driven.operation = operation;
    return driven;
  }

  protected override asCurrent<R>(frame: Frame, step: () => R): R {
    const { driven: outer } = this;
    this.driven = frame;
    try {
      return step();
    } finally {
      this.driven = outer;
    }
  }
}

/** The error of a runtime that was closed. */
export function closedError(): NoRuntimeError {
  return new NoRuntimeError("the runtime is closed");
}
