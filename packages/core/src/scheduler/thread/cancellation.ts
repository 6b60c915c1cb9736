/**
 * How a goroutine learns that it is cancelled.
 *
 * Whoever cancels (context/cancel.ts decides whom) writes the context's number into G_CANCELED of each goroutine, then asks every machine for attention and wakes it. Since a goroutine's frame never leaves its
 * machine, all the rest happens on that machine, in its own time, without a race:
 *
 * - not started: the machine that takes it finds G_CANCELED and ends it;
 * - parked: on the request for attention the machine takes the goroutine's waiter out of the queue it stands in and makes it ready; its operation throws. A waiter that is
 *   not there any more has been served: its operation goes through, and the cancellation is told at the next one;
 * - running or ready: told at its next operation that parks.
 *
 * It is told once: what runs afterwards, `finally` blocks and deferred calls, may park. Deferred calls are not told, whether the body was or not. A goroutine that learns of the end of its context by receiving from the
 * context's channel, as Go programs do, is not told at all; nor one that is thrown the cancellation of another that it waited for.
 *
 * No cancellation is missed: G_CANCELED is written before M_ATTENTION. A machine that cleared M_ATTENTION before the second write will see it again; one that clears it afterwards reads G_CANCELED
 * afterwards. A goroutine that parks after its machine's look reads G_CANCELED itself before it parks, on the same thread, and sees what that look saw.
 */

import { CanceledError, DeadlineExceededError } from "../../base/errors.ts";
import { M_ATTENTION, P_PREEMPT, P_WORDS } from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { machineRecord } from "../idle/machine-life.ts";
import { wake } from "../idle/parker.ts";
import type { Thread } from "./thread.ts";

// Rebound: V8 folds a module's own constants, and imported or exported ones cost a load and a check each.
const ATTENTION = M_ATTENTION;

/** In M_ATTENTION: nobody was cancelled, there is only something to let go of. */
const TIDY_ONLY = 2;

/** Asks every machine to look for cancelled goroutines, and running goroutines to reach a yield point. G_CANCELED must have been written. */
export function requestAttention(memory: SharedMemory): void {
  const { i32, layout, shape } = memory;
  for (let p = 0; p < shape.procs; p++) Atomics.store(i32, layout.processors + p * P_WORDS + P_PREEMPT, 1);
  for (let m = 1; m <= shape.maxMachines; m++) {
    const record = machineRecord(memory, m);
    Atomics.store(i32, record + ATTENTION, 1);
    wake(i32, record);
  }
}

/**
 * Asks every machine, and the host, to let go of shared buffers (see shared-buffers.ts): SAB_ROUND must have been written. A request that a machine has not taken yet will do, whatever it was for, for they all make it look; and it must
 * not be replaced: without cancelled goroutines, frames need not be looked through. One for these is stored over this one.
 */
export function requestTidying(memory: SharedMemory): void {
  const { i32, shape } = memory;
  for (let m = 1; m <= shape.maxMachines; m++) {
    const record = machineRecord(memory, m);
    Atomics.compareExchange(i32, record + ATTENTION, 0, TIDY_ONLY);
    wake(i32, record);
  }
  wake(i32, machineRecord(memory, 0));
}

/** Whether it is what cancelled goroutines are thrown. */
export function isCancellation(error: unknown): boolean {
  return error instanceof CanceledError || error instanceof DeadlineExceededError;
}

/** Takes the request for attention of the machine whose record is at `record`. False if nobody can have been cancelled. */
export function takeAttention(i32: Int32Array, record: number): boolean {
  return Atomics.exchange(i32, record + ATTENTION, 0) !== TIDY_ONLY;
}

/** Whether attention is asked for. A plain look, for every scheduling round; the sleeper's last look is atomic. */
export function wantsAttention(i32: Int32Array, record: number): boolean {
  return i32[record + ATTENTION] !== 0;
}

/** What a layer above the scheduler knows about contexts. */
export interface CancellationHooks {
  /** The error that a goroutine is thrown whose G_CANCELED holds `context`. */
  errorOf(thread: Thread, context: number): Error;
  /** Cancels a goroutine and those that inherit from it. */
  cancel(thread: Thread, goroutine: number, cause: unknown): void;
  /** Whether a context is done: asked for the one a goroutine was started with, before it starts. */
  isDone(thread: Thread, context: number): boolean;
  /** Whether a context is `above` or below it. */
  isWithin(thread: Thread, context: number, above: number): boolean;
  /** One more goroutine has this context. */
  retain(thread: Thread, context: number): void;
  /** A goroutine no longer has this context. */
  release(thread: Thread, context: number): void;
  /** The body of a goroutine with a plan is about to be called. Returns the error that keeps it from that, if any. */
  begin(thread: Thread, base: number): Error | undefined;
  /** The goroutine whose descriptor is at `base` has ended: takes it out of reach of cancellations, and releases what it had. */
  leave(thread: Thread, base: number): void;
}

function missing(): never {
  throw new Error("the scheduler has contexts to ask about, but no context layer is there");
}

/** Set by the context layer. */
export let cancellation: CancellationHooks = {
  errorOf: missing,
  cancel: missing,
  isDone: missing,
  isWithin: missing,
  retain: missing,
  release: missing,
  begin: missing,
  leave: missing,
};

/** Registers the context layer. */
export function setCancellationHooks(hooks: CancellationHooks): void {
  cancellation = hooks;
}
