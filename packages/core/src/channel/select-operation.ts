/**
 * Select. Go's selectgo, which holds the locks of all its channels from the first look to the end; here only a select that has to wait does.
 *
 * 1. Values to be sent are copied, once and in source order, if a case looks ready. (If none does, step 3 copies them, straight into the waiters.)
 * 2. The cases are tried in random order, each under its own channel's lock. The first that goes through is the outcome: at that moment it was ready, and every order of the ready ones is equally
 *    likely, so each of them is picked as often.
 * 3. If none went through, all channels are locked, in the order of their records so that two selects cannot wait for each other, one that occurs twice once. The cases are tried again,
 *    since one may have become ready after it was tried; only now is it known that none is. A select without waiting ends here. Otherwise one waiter for each case is queued, and the locks are released.
 *    The goroutine is pinned to this machine, so being made ready before it has parked does no harm.
 * 4. Whoever takes one of the waiters off a queue must first win G_SELECT, by compare-and-swap from 0 to the case's number; the others of this select are then skipped by everybody. So one case goes through.
 * 5. Woken, the select takes its other waiters out of their queues, each under its channel's lock: not even those that are no longer queued are passed over, because somebody may have taken one off
 *    just now, and be about to look at G_SELECT. Only then are the waiters' memory and G_SELECT free for the next select.
 *
 * A cancelled select wins G_SELECT for itself, or finds that it has been served.
 *
 * The two orders, and the locks, are in select-cases.ts.
 *
 * The waiters of a select are one block of the slab, for as long as it waits. Its thread lists it for that time (waiting-selects.ts): whoever cleans up after a dead thread finds there what its selects had.
 */

import { MemoryLimitError } from "../base/errors.ts";
import { enqueueWaiter } from "../goroutine/wait-queue.ts";
import { REASON_SELECT, REASON_SELECT_NO_CASES, type WaitReason } from "../goroutine/wait-reason.ts";
import { G_SELECT, W_CASE, W_GOROUTINE, W_RESULT, W_VALUE, W_WORDS } from "../memory/layout.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import { proceed, type Suspension } from "../scheduler/frames/suspension.ts";
import { FRESH, Operation, USED } from "../scheduler/thread/operation.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { CLOSED, EMPTY, FULL, SENT } from "./channel-port.ts";
import { END, sendOnClosed } from "./channel-record.ts";
import { ReceiveOperation, SendOperation } from "./operations.ts";
import {
  type Case,
  type Cases,
  lockAll,
  nextCase,
  queueOf,
  seemsReady,
  startPolling,
  unlockAll,
} from "./select-cases.ts";

/** What a cancelled select puts into G_SELECT. */
const CANCELED = 0x7fff_ffff;
const WAITER_WORDS = W_WORDS;
const RESULT = W_RESULT;
const VALUE = W_VALUE;

type Outcome = { index: number; value: unknown };

export class SelectOperation extends Operation<Outcome> {
  declare private readonly cases: Cases;
  /** Cases that are not `undefined`. */
  declare private readonly live: number;
  /** Whether a value is to be sent that must be copied before it is known whether it will be. */
  declare private readonly copies: boolean;
  declare private tried: boolean;
  /** First word of the waiters, 0 while there are none. */
  declare private waiters: number;
  /** First word of the descriptor that waits. */
  declare private base: number;
  declare private winner: number;
  declare private failure: { readonly error: unknown } | undefined;
  /** In the thread's list of those that wait. */
  declare place: number;

  constructor(thread: Thread, cases: Cases, live: number, copies: boolean) {
    super(thread);
    this.cases = cases;
    this.live = live;
    this.copies = copies;
    this.tried = false;
    this.waiters = 0;
    this.base = 0;
    this.winner = -1;
    this.failure = undefined;
    this.place = -1;
  }

  get reason(): WaitReason {
    return this.live === 0 ? REASON_SELECT_NO_CASES : REASON_SELECT;
  }

  override next(): IteratorResult<Suspension, Outcome> {
    if (this.state === FRESH) {
      this.state = USED;
      if (this.tryCases()) return proceed(this.finish());
      this.state = FRESH;
      this.tried = true;
    }
    return super.next();
  }

  attempt(): boolean {
    if (!this.tried) return this.tryCases();
    // Just now, by `next`.
    this.tried = false;
    return false;
  }

  finish(): Outcome {
    if (this.failure !== undefined) throw this.failure.error;
    const { winner } = this;
    return { index: winner, value: this.caseAt(winner).finish() };
  }

  /** The outcome now, or `undefined`. */
  now(): Outcome | undefined {
    this.use();
    if (this.live === 0) return undefined;
    if (this.live === 1) return this.tryOnly() ? this.finish() : undefined;
    return this.tryCases() || this.tryLocked() ? this.finish() : undefined;
  }

  private caseAt(place: number): Case {
    return this.cases[place] as Case;
  }

  private tryOnly(): boolean {
    this.winner = this.cases.findIndex((operation) => operation !== undefined);
    return this.caseAt(this.winner).attemptOnce();
  }

  // ── without waiting ──

  private tryCases(): boolean {
    if (this.copies) return this.tryCopied();
    startPolling(this.cases);
    for (let turn = 0; turn < this.live; turn++) {
      const place = nextCase(turn, this.live);
      // Before it is tried: a send to a closed channel throws.
      this.winner = place;
      if (this.caseAt(place).attempt()) return true;
    }
    return false;
  }

  /** Like `tryCases` with values that are copied first. */
  private tryCopied(): boolean {
    if (!this.cases.some(seemsReady)) return false;
    this.copyValues();
    startPolling(this.cases);
    this.winner = -1;
    try {
      for (let turn = 0; this.winner < 0 && turn < this.live; turn++) {
        const place = nextCase(turn, this.live);
        if (this.tryCopiedCase(place)) this.winner = place;
      }
    } finally {
      this.discardWaiters(this.winner);
    }
    return this.winner >= 0;
  }

  private tryCopiedCase(place: number): boolean {
    const operation = this.caseAt(place);
    if (operation instanceof ReceiveOperation) return operation.attempt();
    const waiter = this.waiterAt(place);
    if (!operation.channel.seemsSendable()) return false;
    const outcome = operation.channel.putNow(waiter + VALUE, this.thread.i32[waiter + RESULT]);
    return outcome !== FULL && this.endSend(operation, waiter, outcome);
  }

  /** A send went through or failed: its value is gone either way. */
  private endSend(operation: SendOperation, waiter: number, outcome: number): boolean {
    if (outcome === SENT) return true;
    operation.channel.port.dropFrom(waiter);
    operation.fail(sendOnClosed());
    return true;
  }

  // ── waiters ──

  private waiterAt(place: number): number {
    return this.waiters + place * WAITER_WORDS;
  }

  /** Takes the waiters' memory and copies the values to be sent into it, in source order. Throws `CloneError`, `MemoryLimitError`, and then keeps nothing. */
  private copyValues(): void {
    const { cases, thread } = this;
    const bytes = cases.length * WAITER_WORDS * 4;
    this.waiters = thread.slab.take(bytes) / 4;
    if (this.waiters === 0)
      throw new MemoryLimitError(
        `no room for a select of ${cases.length} cases: the memory for values is in use`,
      );
    let place = 0;
    try {
      for (; place < cases.length; place++) this.copyValue(place);
    } catch (error) {
      for (let copied = 0; copied < place; copied++) this.dropValue(copied);
      this.freeWaiters();
      throw error;
    }
  }

  private copyValue(place: number): void {
    const operation = this.cases[place];
    const waiter = this.waiterAt(place);
    if (!(operation instanceof SendOperation)) {
      this.thread.i32[waiter + RESULT] = 0;
      return;
    }
    const tag = operation.channel.port.encode(waiter + VALUE, operation.value);
    this.thread.i32[waiter + RESULT] = tag;
  }

  private dropValue(place: number): void {
    const operation = this.cases[place];
    if (operation instanceof SendOperation) operation.channel.port.dropFrom(this.waiterAt(place));
  }

  /** Drops the values of all cases but the one that went through, and gives the memory back. */
  private discardWaiters(winner: number): void {
    for (let place = 0; place < this.cases.length; place++) if (place !== winner) this.dropValue(place);
    this.freeWaiters();
  }

  private freeWaiters(): void {
    if (this.place >= 0) this.thread.waitingSelects.remove(this);
    this.thread.slab.give(this.waiters * 4);
    this.waiters = 0;
  }

  // ── all channels locked ──

  /** Tries the cases while all channels are locked. If none goes through, it was so at one moment. */
  private tryLocked(): boolean {
    this.copyValues();
    lockAll(this.cases);
    const outcome = this.poll();
    unlockAll(this.cases);
    this.endPoll(outcome);
    return this.winner >= 0;
  }

  enqueue(goroutine: number, base: number): boolean {
    if (this.live === 0) return true;
    this.base = base;
    try {
      this.copyValues();
    } catch (error) {
      this.failure = { error };
      return false;
    }
    lockAll(this.cases);
    const outcome = this.poll();
    if (this.winner < 0) this.queueWaiters(goroutine);
    unlockAll(this.cases);
    if (this.winner < 0) return true;
    this.endPoll(outcome);
    return false;
  }

  /** Under the locks: tries the cases and sets the winner, -1 for none. What `take` or `put` said about it. */
  private poll(): number {
    const { live } = this;
    startPolling(this.cases);
    this.winner = -1;
    let outcome = EMPTY;
    for (let turn = 0; this.winner < 0 && turn < live; turn++) {
      const place = nextCase(turn, live);
      outcome = this.pollCase(place);
      if (outcome !== EMPTY) this.winner = place;
    }
    return outcome;
  }

  /** What `take` or `put` says; EMPTY and FULL are the same number. */
  private pollCase(place: number): number {
    const { channel, sends } = this.caseAt(place);
    if (!sends) return channel.port.take(channel.base);
    const waiter = this.waiterAt(place);
    return channel.port.put(channel.base, waiter + VALUE, this.thread.i32[waiter + RESULT]);
  }

  /** After the locks: the winner's outcome, if there is a winner. */
  private endPoll(outcome: number): void {
    const { winner } = this;
    try {
      if (winner >= 0) this.endCase(this.caseAt(winner), outcome);
    } finally {
      this.discardWaiters(winner);
    }
  }

  private endCase(operation: Case, outcome: number): void {
    const { port } = operation.channel;
    if (operation instanceof ReceiveOperation) {
      operation.accept(outcome === CLOSED ? END : port.takeSlot(outcome));
    } else {
      this.endSend(operation, this.waiterAt(this.winner), outcome);
      port.wakeServed();
    }
  }

  private queueWaiters(goroutine: number): void {
    const { i32, waitingSelects } = this.thread;
    waitingSelects.add(this, this.waiters, this.cases.length);
    for (let place = 0; place < this.cases.length; place++) {
      const operation = this.cases[place];
      if (operation === undefined) continue;
      const waiter = this.waiterAt(place);
      i32[waiter + W_GOROUTINE] = goroutine;
      i32[waiter + W_CASE] = place + 1;
      enqueueWaiter(i32, operation.channel.base + queueOf(operation), waiter);
    }
  }

  // ── after waiting ──

  override resume(interrupt: Error | undefined): boolean {
    if (interrupt !== undefined) throw interrupt;
    const { i32 } = this.thread;
    const winner = i32[this.base + G_SELECT] - 1;
    this.winner = winner;
    this.leaveAll(winner);
    i32[this.base + G_SELECT] = 0;
    try {
      this.caseAt(winner).takeOver(this.waiterAt(winner));
    } finally {
      this.discardWaiters(winner);
    }
    return true;
  }

  abandon({ base }: Frame): boolean {
    if (this.live === 0) return true;
    const { i32 } = this.thread;
    // Against `dequeueWaiter`, which puts the case's number there.
    if (Atomics.compareExchange(i32, base + G_SELECT, 0, CANCELED) !== 0) return false;
    this.leaveAll(-1);
    i32[base + G_SELECT] = 0;
    this.discardWaiters(-1);
    return true;
  }

  /** Takes the waiters of all cases but one out of their queues. Afterwards nobody knows them any more. */
  private leaveAll(winner: number): void {
    for (let place = 0; place < this.cases.length; place++) {
      const operation = this.cases[place];
      if (operation === undefined || place === winner) continue;
      operation.channel.leaveQueue(queueOf(operation), this.waiterAt(place));
    }
  }
}
