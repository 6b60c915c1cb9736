/**
 * How a goroutine is run: started, resumed, ended. A body is driven only through steps: resumed with nothing, it parks (its operation has queued it somewhere), yields, returns or throws.
 *
 * The usual way of a goroutine, a generator with a few numbers as arguments that returns, is kept in short functions: V8 inlines those into each other up to a bound, and everything rarer in
 * between would use that bound up.
 */

import { FunctionError } from "../../base/errors.ts";
import {
  complete,
  completeAlone,
  firstJoiner,
  isOnlyOf,
  nextJoiner,
  wantsHost,
} from "../../goroutine/completion.ts";
import {
  COUNT_MASK,
  COUNT_SHIFT,
  DETACHED,
  FAILED,
  PACKED,
  PLANNED,
  SLOT_WORDS,
  TAG_BITS,
  TAG_MASK,
} from "../../goroutine/descriptor.ts";
import { BODY_ASYNC, BODY_GENERATOR, type Body, bodyKind, isGenerator } from "../../goroutine/functions.ts";
import {
  RUNNING,
  transitionRunningToRunnable,
  transitionToDead,
  transitionToRunning,
  transitionToWaiting,
} from "../../goroutine/status.ts";
import { REASON_AWAIT } from "../../goroutine/wait-reason.ts";
import {
  CACHE_ENDED,
  G_ARGS,
  G_CANCELED,
  G_CONTEXT,
  G_FRAME,
  G_FUNCTION,
  G_MACHINE,
  G_META,
  G_ON_END,
  G_STATUS,
  G_WORDS,
  P_CURRENT,
} from "../../memory/layout.ts";
import * as inbox from "../../queue/inbox.ts";
import { TAG_NUMBER, TAG_UNDEFINED } from "../../values/tags.ts";
import { FRAME_ASYNC, FRAME_GENERATOR, FRAME_PLAIN, FRAME_PROMISE, type Frame } from "../frames/frame.ts";
import { trimStack } from "../frames/stack.ts";
import { endsWith, foreignYield, SUSPENSION } from "../frames/suspension.ts";
import { wakeForResult } from "../idle/parker.ts";
import { cancellation, isCancellation } from "../thread/cancellation.ts";
import { endHook } from "../thread/end-hook.ts";
import { isThenable, wellBehaved } from "./await-operation.ts";
import { LoadingMachine } from "./body-loading.ts";
import { unwind } from "./deferred-calls.ts";
import { LIST_IN_RING } from "./machine-thread.ts";
import { type DeferredCall, EXIT, Unwinding } from "./unwinding.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const PROMISE = FRAME_PROMISE;
const GENERATOR = FRAME_GENERATOR;
const GENERATOR_BODY = BODY_GENERATOR;
const COUNT = COUNT_SHIFT;
const COUNT_BITS = COUNT_MASK;
const TAG = TAG_MASK;
const DETACHED_FLAG = DETACHED;
const UNDEFINED = TAG_UNDEFINED;
const SUSPENDED = SUSPENSION;
const EXIT_SIGNAL = EXIT;
const WORDS = G_WORDS;
const STATUS = G_STATUS;
const ARGS = G_ARGS;
const META = G_META;
const MACHINE = G_MACHINE;
const FRAME = G_FRAME;
const FUNCTION = G_FUNCTION;
const CANCELED = G_CANCELED;
const CONTEXT = G_CONTEXT;
const CURRENT = P_CURRENT;
const ENDED = CACHE_ENDED / 2;
const NUMBER = TAG_NUMBER;
const MANY_IN_RING = LIST_IN_RING;

/** Joins that a goroutine has waited in, from which on it counts as one that collects results, and not as a parent in a fork-join tree, which waits for a child or two. */
const MANY_JOINS = 4;

export abstract class ExecutingMachine extends LoadingMachine {
  protected runOne(goroutine: number): void {
    const { i32, processorBase } = this;
    const base = this.descriptors + goroutine * WORDS;
    if (this.searching) this.found();
    this.ranSinceTurn = true;
    if (i32[base + MACHINE] === 0) {
      transitionToRunning(i32, base);
      i32[processorBase + CURRENT] = goroutine;
      this.start(goroutine, base);
    } else {
      const frame = this.frames.at(i32[base + FRAME]);
      if (frame.kind === PROMISE) {
        this.settlePromise(frame);
        return;
      }
      transitionToRunning(i32, base);
      i32[processorBase + CURRENT] = goroutine;
      this.resume(frame);
    }
    this.frame = undefined;
  }

  protected start(goroutine: number, base: number): void {
    const { i32 } = this;
    const id = i32[base + FUNCTION];
    i32[base + MACHINE] = this.number + 1;
    if ((i32[base + CANCELED] | i32[base + CONTEXT]) !== 0 && this.endIfCanceled(goroutine, base)) return;
    const body = this.bodies[id];
    if (body === undefined) {
      this.waitForModule(id, goroutine, base);
      return;
    }
    const frame = this.frames.take();
    frame.goroutine = goroutine;
    frame.base = base;
    this.frame = frame;
    if (this.kinds[id] === GENERATOR_BODY) {
      let generator: Generator<unknown, unknown, unknown>;
      try {
        generator = this.call(body, base) as Generator<unknown, unknown, unknown>;
      } catch (error) {
        this.end(frame, error, true);
        return;
      }
      frame.kind = GENERATOR;
      this.step(frame, generator);
    } else {
      this.startOther(frame, body, id);
    }
  }

  /** A goroutine that is cancelled before it starts never starts. Also sees to those that have a plan: they have a context, as few have. */
  private endIfCanceled(goroutine: number, base: number): boolean {
    const canceled = this.canceledBeforeStart(base);
    const error = canceled !== 0 ? cancellation.errorOf(this, canceled) : this.beginPlan(base);
    if (error === undefined) return false;
    this.endUnstarted(goroutine, base, error);
    return true;
  }

  /** The time of a goroutine that has a plan counts from the call of its body. */
  private beginPlan(base: number): Error | undefined {
    const { i32 } = this;
    if ((i32[base + META] & PLANNED) === 0 || this.bodies[i32[base + FUNCTION]] === undefined)
      return undefined;
    return cancellation.begin(this, base);
  }

  /** Calls the body with the arguments from the descriptor, whose slots are free from then on. */
  protected call(body: Body, base: number): unknown {
    const { f64 } = this;
    const meta = this.i32[base + META];
    const slot = (base + ARGS) >> 1;
    const f = body as (...args: unknown[]) => unknown;
    switch ((meta >>> COUNT) & COUNT_BITS) {
      case 0:
        return f();
      case 1:
        return f((meta & TAG) === NUMBER ? f64[slot] : this.argument(base, meta, 0));
      case 2: {
        const a = (meta & TAG) === NUMBER ? f64[slot] : this.argument(base, meta, 0);
        return f(a, this.argument(base, meta, 1));
      }
      default:
        return f(...this.allArguments(base, meta));
    }
  }

  protected allArguments(base: number, meta: number): unknown[] {
    const count = (meta >>> COUNT) & COUNT_BITS;
    if (count === PACKED) return this.argument(base, meta, 0) as unknown[];
    const values: unknown[] = [];
    for (let i = 0; i < count; i++) values.push(this.argument(base, meta, i));
    return values;
  }

  protected argument(base: number, meta: number, index: number): unknown {
    const tag = (meta >>> (index * TAG_BITS)) & TAG;
    const slot = base + ARGS + index * SLOT_WORDS;
    return tag === NUMBER ? this.f64[slot >> 1] : this.codec.take(slot, tag);
  }

  protected resume(frame: Frame): void {
    this.frame = frame;
    const { generator } = frame;
    if (generator === undefined)
      throw new Error(`resume: goroutine ${frame.goroutine} has no generator to resume`);
    frame.operation = undefined;
    this.step(frame, generator);
  }

  protected step(frame: Frame, generator: Generator<unknown, unknown, unknown>): void {
    let result: IteratorResult<unknown, unknown>;
    try {
      result = generator.next();
    } catch (error) {
      this.end(frame, error, true);
      return;
    }
    if (result.done) this.end(frame, result.value, false);
    else this.suspended(frame, generator, result.value);
  }

  /** The generator has yielded: it parks, or gives way. Only now is it kept: most end in their first step, and frames are old objects, to which the garbage collector notes down whatever young one is stored. */
  private suspended(frame: Frame, generator: Generator<unknown, unknown, unknown>, yielded: unknown): void {
    if (frame.generator !== generator) frame.generator = generator;
    if (yielded !== SUSPENDED) this.refuseYield(frame, generator);
    else if (this.frames.crowded) this.pack(frame);
  }

  /** One of many that are parked. (One that gave way has no operation, and is to go on soon.) */
  private pack(frame: Frame): void {
    if (frame.operation !== undefined) this.frames.pack(this.i32[frame.base + FRAME], frame);
  }

  /** A body yielded something of its own: it gets an error at that place. */
  protected refuseYield(frame: Frame, generator: Generator<unknown, unknown, unknown>): void {
    let result: IteratorResult<unknown, unknown>;
    try {
      result = generator.throw(foreignYield());
    } catch (error) {
      this.end(frame, error, true);
      return;
    }
    if (result.done) this.end(frame, result.value, false);
    else this.suspended(frame, generator, result.value);
  }

  /** Async and plain bodies, and plain ones that return a generator or a promise. */
  protected startOther(frame: Frame, body: Body, id: number): void {
    let value: unknown;
    frame.kind = FRAME_PLAIN;
    try {
      if (this.kinds[id] === BODY_ASYNC) {
        frame.lasting = true;
        value = this.platform.enterAsync(frame, () => this.call(body, frame.base));
      } else {
        value = this.call(body, frame.base);
      }
      if (isGenerator(value)) {
        frame.kind = GENERATOR;
        this.step(frame, value);
        return;
      }
      if (isThenable(value)) {
        // A plain function that returns promises: from the next call on its continuations, too, will know their goroutine.
        this.kinds[id] = BODY_ASYNC;
        this.followPromise(frame, value);
        return;
      }
    } catch (error) {
      this.end(frame, error, true);
      return;
    }
    this.end(frame, value, false);
  }

  protected followPromise(frame: Frame, promise: PromiseLike<unknown>): void {
    frame.kind = FRAME_ASYNC;
    this.asyncFrames++;
    this.microtasksDue ||= 1;
    this.settleInTable(frame);
    transitionToWaiting(this.i32, frame.base, REASON_AWAIT);
    wellBehaved(promise).then(
      (value) => this.endAsync(frame, value, false),
      (error: unknown) => this.endAsync(frame, error, true),
    );
  }

  protected endAsync(frame: Frame, value: unknown, failed: boolean): void {
    this.asyncFrames--;
    this.i32[frame.base + STATUS] = RUNNING;
    this.end(frame, value, failed);
    if (!this.running) this.platform.requestRun();
  }

  /** The body has returned (`value` is its result) or thrown. */
  protected end(frame: Frame, value: unknown, failed: boolean): void {
    if (frame.operation !== undefined) this.endParked(frame, value, failed);
    else if (failed || frame.exiting || frame.defers !== undefined) this.endUnusually(frame, value, failed);
    else this.leave(frame, value, false, false);
  }

  /** The body has ended where an operation had parked it. If the operation cannot be called off any more, the goroutine ends when it is made ready. */
  private endParked(frame: Frame, value: unknown, failed: boolean): void {
    const misuse = this.wentOn(frame);
    if (failed && value instanceof Error && value.message !== misuse.message) misuse.cause = value;
    if (frame.operation === undefined) this.end(frame, misuse, true);
    else frame.generator = endsWith(misuse);
  }

  /** By an error, by `goexit`, or with deferred calls to run first. */
  private endUnusually(frame: Frame, value: unknown, failed: boolean): void {
    const exited = frame.exiting && frame.unwinding === undefined && (!failed || value === EXIT_SIGNAL);
    const outcome = exited ? undefined : value;
    const failing = failed && !exited;
    if (frame.defers !== undefined && frame.unwinding === undefined) {
      this.runDeferred(frame, outcome, failing);
      return;
    }
    if (failing) trimStack(outcome);
    // A cancelled goroutine that ends with the cancellation has done what it was asked to: no panic.
    this.leave(frame, outcome, failing, frame.cancelTold && isCancellation(outcome));
  }

  /** The goroutine has ended: stores the outcome, wakes those who wait for it, lets the frame go. `quiet` says that a failure is no panic. */
  private leave(frame: Frame, value: unknown, failed: boolean, quiet: boolean): void {
    const { i32 } = this;
    const { base, goroutine } = frame;
    this.frames.remove(i32[base + FRAME], frame);
    i32[base + FRAME] = 0;
    this.f64[(this.cache >> 1) + ENDED]++;
    if (i32[base + CONTEXT] !== 0 || i32[base + CANCELED] !== 0) cancellation.leave(this, base);
    const meta = i32[base + META];
    if ((meta & DETACHED_FLAG) !== 0) {
      this.leaveDetached(goroutine, base, value, failed && !quiet, failed);
      return;
    }
    if (typeof value === "number" && !failed) {
      this.f64[(base + ARGS) >> 1] = value;
      i32[base + META] = NUMBER;
    } else if (value === undefined && !failed) {
      i32[base + META] = UNDEFINED;
    } else {
      i32[base + META] = meta & ~FAILED;
      this.putResult(base, value, failed);
    }
    transitionToDead(i32, base);
    const completed = isOnlyOf(i32, base, this.number) ? completeAlone(i32, base) : complete(i32, base);
    if (completed !== 0) this.tellJoiners(goroutine, completed);
  }

  /** Nobody has a handle: an error is for the object that started the goroutine, or ends the runtime. */
  private leaveDetached(
    goroutine: number,
    base: number,
    value: unknown,
    panics: boolean,
    failed: boolean,
  ): void {
    const object = this.i32[base + G_ON_END];
    const taken = failed && object !== 0 && endHook(this, object).failed(this, object, value);
    if (panics && !taken) this.platform.panic(base, value);
    transitionToDead(this.i32, base);
    // While the descriptor is not free: see end-hook.ts.
    if (object !== 0) this.tellObject(object, base);
    this.freeDescriptor(goroutine, base);
  }

  /** Tells the object that started a goroutine of its end. What it throws (a counter that went below zero) is that goroutine's panic. */
  protected tellObject(object: number, base: number): void {
    try {
      endHook(this, object).ended(this, object, base);
    } catch (error) {
      this.platform.panic(base, error);
    }
  }

  /** The body has ended: its deferred calls run in its place, then `end` is called again. */
  protected runDeferred(frame: Frame, value: unknown, failed: boolean): void {
    const unwinding = new Unwinding(value, failed);
    const generator = unwind(this, frame, unwinding, (call) => this.callDeferred(frame, call));
    frame.unwinding = unwinding;
    frame.kind = GENERATOR;
    frame.generator = generator;
    if (this.running && this.frame === frame) {
      this.step(frame, generator);
      return;
    }
    // The end of an async body comes in a microtask, outside the run loop.
    this.settleInTable(frame);
    transitionRunningToRunnable(this.i32, frame.base);
    this.local.push(frame.goroutine);
  }

  /** An async call finds its goroutine also after an await. */
  protected callDeferred(frame: Frame, call: DeferredCall): unknown {
    if (bodyKind(call) !== BODY_ASYNC) return call();
    frame.lasting = true;
    return this.platform.enterAsync(frame, call);
  }

  /**
   * A joiner is made ready. One that collects many results goes behind the goroutines of a long ring: it would otherwise be resumed after each of them, to find the next not ended. A parent in a fork-join tree goes
   * on at once, which keeps few goroutines alive.
   */
  protected readyJoiner(joiner: number): void {
    const { i32 } = this;
    const base = this.descriptors + joiner * WORDS;
    const lives = i32[base + MACHINE] === this.number + 1;
    if (
      !lives ||
      this.queue.length() < MANY_IN_RING ||
      this.frames.at(i32[base + FRAME]).joins < MANY_JOINS
    ) {
      this.ready(joiner);
      return;
    }
    const { next } = this;
    this.next = 0;
    this.readyHere(joiner, base);
    if (this.next !== 0) this.local.push(this.next);
    this.next = next;
  }

  protected tellJoiners(goroutine: number, completed: number): void {
    const { i32, descriptors } = this;
    let joiner = firstJoiner(completed);
    while (joiner !== 0) {
      const following = nextJoiner(i32, descriptors + joiner * WORDS);
      this.readyJoiner(joiner);
      joiner = following;
    }
    if (!wantsHost(completed)) return;
    const host = this.memory.layout.machines;
    inbox.post(i32, descriptors, host, goroutine);
    wakeForResult(i32, host);
  }

  /** A goroutine ends with an error before its body was called. */
  protected endUnstarted(goroutine: number, base: number, error: Error): void {
    const meta = this.i32[base + META];
    const count = (meta >>> COUNT) & COUNT_BITS;
    this.dropSlots(base, meta, count === PACKED ? 1 : count);
    const frame = this.frames.take();
    frame.goroutine = goroutine;
    frame.base = base;
    frame.cancelTold = !(error instanceof FunctionError);
    this.end(frame, error, true);
  }
}
