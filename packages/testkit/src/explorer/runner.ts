/**
 * Runs the threads of a model, one access at a time, in the one real thread there is.
 *
 * The difficulty: the code under test is ordinary synchronous code. It cannot be suspended in the middle of a call to let another thread of the
 * model go on. Generators would have to be written into the code, and real threads cannot be steered at a fair price (tens of microseconds
 * a switch). So a thread is stopped by an exception and later run *again from its start*, with the results of its earlier accesses
 * answered from a log (model-thread.ts).
 *
 * A step is one atomic operation and the plain accesses after it, up to the next atomic operation. Plain accesses at the very start or
 * right after waking form a step of their own. One step goes like this:
 *
 * 1. The runner calls the thread's code. Accesses in the log are answered from it.
 * 2. The first access beyond the log is carried out and logged. Plain accesses after it likewise.
 * 3. At the next atomic operation the thread is at a *boundary*: the operation is not carried out yet. The chooser decides who is next.
 * 4. If it is this thread again, the code simply goes on: staying costs nothing. Only when the choice falls on another does the exception unwind the
 *    code, so an execution runs each thread's log once a switch back to it, not once a step. Depth-first search switches mostly by going back to
 *    a kept state, when no code is on the stack: there the exception is thrown only at sleep, spinning and repeated states.
 *
 * While the exception passes through `finally` blocks of the code under test, their accesses must have no effect: each of them throws the
 * exception again. A `catch` that swallows it does no harm to the model, whose thread is run again anyway, but shows that the code treats
 * any error alike, and may loop for ever on what is no error of its own. It is reported, unless the model allows it.
 */

import { type Decision, END, isStep, PRUNED, stepOf, threadOf } from "./decision.ts";
import { ExplorerError } from "./explorer-error.ts";
import { type FoundFailure, thrownFailure } from "./failure.ts";
import type { AccessHooks } from "./intercept.ts";
import type { Model } from "./model.ts";
import { type AccessResult, DONE, type ModelThread, YIELDED } from "./model-thread.ts";
import {
  type AccessKey,
  accessKey,
  describeKey,
  NOTIFY,
  type Operation,
  SPIN_HINT,
  WAIT,
  wordOf,
} from "./operation.ts";
import type { Tracer } from "./trace.ts";

/** Decides who is next. */
export interface Chooser {
  /** One of `decisions`, or PRUNED to give this execution up. */
  choose(model: Model, decisions: readonly Decision[]): Decision;
}

/** What a model asks of its executions. */
export interface RunnerRules {
  readonly plainAccessesAreSteps: boolean;
  /** Whether the victim may die in the middle of a step. */
  readonly killsWithinSteps: boolean;
  readonly allowBlocked: boolean;
  readonly allowCatchAll: boolean;
  readonly maxAccesses: number;
  /** Throws if the memory between two steps is inconsistent. */
  readonly invariant: (() => void) | undefined;
  /** Throws if the memory at the end is not as it should be. */
  readonly check: (() => void) | undefined;
}

/** How an execution ended. */
export type RunEnd = "complete" | "pruned" | FoundFailure;

/** Unwinds a thread that is not to go on now. One for all: making an error costs microseconds, for its stack. */
class ThreadStopped extends Error {}
const STOP = new ThreadStopped("stopped by the explorer; not an error, and not to be caught");

export class Runner implements AccessHooks {
  readonly model: Model;
  /** Steps carried out in all executions. */
  steps = 0;

  private readonly rules: RunnerRules;
  private chooser: Chooser | undefined;
  private tracer: Tracer | undefined;
  private failure: FoundFailure | undefined;

  /** The thread whose code is on the stack. None while setup, invariant or check look at the memory: they act on it directly. */
  private running: ModelThread | undefined;
  /** Accesses of the running thread answered so far. */
  private cursor = 0;
  /** Whether the running thread has used up its step: the next boundary needs a decision. */
  private stepTaken = false;
  /** Whether the running thread may die before its next access: it has just changed memory. */
  private mayDieHere = false;
  /** Whether STOP is on its way. */
  private stopping = false;
  /** What was decided when the running thread was stopped. */
  private next: Decision = END;
  /** Found out inside a thread, whose code might catch it: thrown again outside. */
  private broken: ExplorerError | undefined;

  constructor(model: Model, rules: RunnerRules) {
    this.model = model;
    this.rules = rules;
  }

  /** Runs from the model's present state to the end. `first` has been decided already, unless the execution begins. */
  run(chooser: Chooser, first?: Decision, tracer?: Tracer): RunEnd {
    this.chooser = chooser;
    this.tracer = tracer;
    this.failure = undefined;
    let decision = first === undefined ? this.decide() : this.accept(first);
    while (decision >= 0) decision = this.carryOut(decision);
    if (decision === PRUNED) return "pruned";
    return this.failure ?? this.conclude();
  }

  /* Between steps */

  private carryOut(decision: Decision): Decision {
    return isStep(decision) ? this.runThread(this.model.thread(threadOf(decision))) : this.decide();
  }

  /** Looks at the state after a step and says what comes next. */
  private decide(): Decision {
    if (this.failure === undefined) this.failure = this.inspect("invariant");
    if (this.failure !== undefined) return END;
    const decisions = this.model.decisions();
    if (decisions.length === 0) return END;
    const decision = (this.chooser as Chooser).choose(this.model, decisions); // set for the whole run
    return decision < 0 ? decision : this.accept(decision);
  }

  private accept(decision: Decision): Decision {
    this.steps++;
    this.model.take(decision);
    if (!isStep(decision)) this.tracer?.noteDecision(this.model, decision);
    return decision;
  }

  private conclude(): RunEnd {
    const stuck = this.model.threads.filter((thread) => thread.isUnfinished());
    if (stuck.length > 0 && !this.rules.allowBlocked) return this.stuckFailure(stuck);
    return this.inspect("check") ?? "complete";
  }

  private stuckFailure(stuck: readonly ModelThread[]): FoundFailure {
    const threads = stuck.map((thread) => `thread ${thread.index} ${describeWait(thread)}`).join(", ");
    return this.model.isSpinning()
      ? { kind: "livelock", message: `livelock: nothing changes any more; ${threads}` }
      : { kind: "deadlock", message: `deadlock: ${threads}` };
  }

  /** Runs one of the model's predicates. What it does to memory is undone. */
  private inspect(predicate: "invariant" | "check"): FoundFailure | undefined {
    const look = this.rules[predicate];
    if (look === undefined) return undefined;
    const { memory } = this.model;
    const { running } = this;
    const mark = memory.mark();
    this.running = undefined;
    try {
      look();
      return undefined;
    } catch (error) {
      if (error instanceof ExplorerError) throw error;
      return thrownFailure(predicate, predicate, error);
    } finally {
      memory.rollBack(mark);
      this.running = running;
    }
  }

  /* Running a thread */

  /** Lets a thread go on until the choice falls on something else, which is returned. */
  private runThread(thread: ModelThread): Decision {
    this.running = thread;
    this.cursor = 0;
    this.stepTaken = false;
    this.mayDieHere = false;
    try {
      return this.threadReturned(thread, thread.code());
    } catch (error) {
      return this.threadThrew(thread, error);
    } finally {
      this.running = undefined;
      this.stopping = false;
    }
  }

  private threadReturned(thread: ModelThread, value: unknown): Decision {
    if (this.hasSwallowedStop(thread, "returned", value)) return this.next;
    if (value instanceof Promise) throw new ExplorerError(`thread ${thread.index} is asynchronous`);
    if (this.cursor < thread.state.length) throw thread.notDeterministic(this.cursor, "the end");
    thread.state.status = DONE;
    thread.returned = value;
    this.tracer?.noteEnd(this.model, thread, value);
    this.running = undefined;
    return this.decide();
  }

  private threadThrew(thread: ModelThread, error: unknown): Decision {
    if (error === STOP && this.broken === undefined) return this.next;
    if (error instanceof ExplorerError) throw error;
    if (this.hasSwallowedStop(thread, "threw", error)) return this.next;
    this.failure = thrownFailure("thread", `thread ${thread.index} threw`, error);
    return END;
  }

  /** The thread ended though it had been stopped. Throws unless the model allows that, or if the code met a mistake in the model. */
  private hasSwallowedStop(thread: ModelThread, outcome: "returned" | "threw", value: unknown): boolean {
    if (this.broken !== undefined) throw this.broken;
    if (!this.stopping || this.rules.allowCatchAll) return this.stopping;
    throw new ExplorerError(
      `thread ${thread.index} swallowed the exception by which the explorer stops it, and ${outcome} ${String(value)}. ` +
        "A catch in the code under test must let errors pass that it does not know; or say allowCatchAll",
    );
  }

  /* Accesses */

  atomicAccess(operation: Operation, index: number, operand: number, replacement: number): number {
    const thread = this.running;
    if (thread === undefined) return this.model.memory.access(operation, index, operand, replacement);
    const key = accessKey(operation, index);
    if (this.isLogged(thread)) return this.replay(thread, key) as number;
    this.beginStep(thread);
    return this.access(thread, key, operation, index, operand, replacement);
  }

  plainAccess(operation: Operation, index: number, value: number): number {
    const thread = this.running;
    if (thread === undefined) return this.model.memory.access(operation, index, value, 0);
    const key = accessKey(operation, index);
    if (this.isLogged(thread)) return this.replay(thread, key) as number;
    this.beginPlain(thread);
    return this.access(thread, key, operation, index, value, 0);
  }

  wait(index: number, expected: number, timeoutMs: number): "ok" | "not-equal" | "timed-out" {
    const thread = this.running;
    if (thread === undefined) return this.waitOutsideThreads(index, expected);
    const key = accessKey(WAIT, index);
    if (this.isLogged(thread)) return this.replay(thread, key) as "ok" | "not-equal" | "timed-out";
    this.beginStep(thread);
    if (this.model.memory.i32[index] !== (expected | 0))
      return this.endWait(thread, key, expected, "not-equal");
    if (timeoutMs <= 0) return this.endWait(thread, key, expected, "timed-out");
    return this.sleep(thread, key, expected, timeoutMs !== Infinity);
  }

  private sleep(thread: ModelThread, key: AccessKey, expected: number, timed: boolean): never {
    this.model.fallAsleep(thread, key, timed);
    this.tracer?.noteAccess(this.model, thread, key, expected, 0, "sleeps");
    this.stop(this.decide());
  }

  private endWait<T extends "not-equal" | "timed-out">(
    thread: ModelThread,
    key: AccessKey,
    expected: number,
    result: T,
  ): T {
    this.append(thread, key, result, false);
    this.tracer?.noteAccess(this.model, thread, key, expected, 0, result);
    return result;
  }

  private waitOutsideThreads(index: number, expected: number): "not-equal" {
    if (this.model.memory.i32[index] !== (expected | 0)) return "not-equal";
    throw new ExplorerError("Atomics.wait in setup, invariant or check would never return");
  }

  notify(index: number, count: number): number {
    const thread = this.running;
    if (thread === undefined) return 0; // setup and checks run when nobody is asleep, or for good
    const key = accessKey(NOTIFY, index);
    if (this.isLogged(thread)) return this.replay(thread, key) as number;
    this.beginStep(thread);
    const woken = this.model.notify(index, count);
    this.append(thread, key, woken, woken > 0);
    this.tracer?.noteAccess(this.model, thread, key, count, 0, woken);
    return woken;
  }

  spinHint(): void {
    const thread = this.running;
    if (thread === undefined) return;
    const key = accessKey(SPIN_HINT, 0);
    if (this.isLogged(thread)) this.replay(thread, key);
    else {
      this.beginPlain(thread);
      this.append(thread, key, undefined, false);
    }
  }

  /** Whether the access happened in an earlier run of the code. */
  private isLogged(thread: ModelThread): boolean {
    if (this.stopping) throw STOP;
    return this.cursor < thread.state.length;
  }

  private replay(thread: ModelThread, key: AccessKey): AccessResult {
    if (!thread.isSame(this.cursor, key))
      this.breakOff(thread.notDeterministic(this.cursor, describeKey(key)));
    return thread.resultOf(this.cursor++);
  }

  private access(
    thread: ModelThread,
    key: AccessKey,
    operation: Operation,
    index: number,
    operand: number,
    replacement: number,
  ): number {
    const { memory } = this.model;
    const mark = memory.mark();
    const before = memory.i32[wordOf(operation, index)];
    const result = memory.access(operation, index, operand, replacement);
    this.append(thread, key, result, memory.mark() !== mark);
    this.tracer?.noteAccess(this.model, thread, key, operand, replacement, result, before);
    return result;
  }

  private append(thread: ModelThread, key: AccessKey, result: AccessResult, changed: boolean): void {
    thread.append(key, result, changed);
    this.cursor++;
    if (!changed) return;
    this.model.noteChange(thread);
    if (this.rules.killsWithinSteps) this.mayDieHere = this.model.mayKill();
  }

  /* Boundaries */

  private beginStep(thread: ModelThread): void {
    if (this.stepTaken) this.atBoundary(thread);
    this.mayDieHere = false;
    if (thread.state.length >= this.rules.maxAccesses) this.giveUp(thread);
    this.stepTaken = true;
  }

  /** A plain access belongs to the step before it. A loop of plain reads that spins must come to a boundary nevertheless. */
  private beginPlain(thread: ModelThread): void {
    if (this.stepTaken) {
      if (this.rules.plainAccessesAreSteps || thread.state.status === YIELDED) this.atBoundary(thread);
      else if (this.mayDieHere) this.withinStep(thread);
    }
    if (thread.state.length >= this.rules.maxAccesses) this.giveUp(thread);
    this.stepTaken = true;
  }

  /** Returns if the running thread is to go on, else stops it. */
  private atBoundary(thread: ModelThread): void {
    const decision = this.decide();
    if (decision !== stepOf(thread.index)) this.stop(decision);
  }

  /** Inside a step of the victim: it goes on or dies, and nobody else comes in between. */
  private withinStep(thread: ModelThread): void {
    const { model } = this;
    this.mayDieHere = false;
    const decision = (this.chooser as Chooser).choose(model, model.deathsWithinStep()); // set for the whole run
    if (decision >= 0) this.accept(decision);
    if (decision !== stepOf(thread.index)) this.stop(decision);
  }

  private giveUp(thread: ModelThread): never {
    const { maxAccesses } = this.rules;
    const message = `thread ${thread.index} made ${maxAccesses} accesses and no end is in sight (maxAccesses)`;
    this.failure = { kind: "endless", message };
    this.stop(END);
  }

  private stop(next: Decision): never {
    this.next = next;
    this.stopping = true;
    throw STOP;
  }

  refuse(what: string): never {
    const error = new ExplorerError(`${what} is not understood by the explorer`);
    if (this.running === undefined) throw error;
    this.breakOff(error);
  }

  /** Ends the exploration from inside a thread, whatever the thread catches. */
  private breakOff(error: ExplorerError): never {
    this.broken = error;
    this.stopping = true;
    throw error;
  }
}

function describeWait(thread: ModelThread): string {
  return thread.isAsleep() ? `sleeps on word ${thread.waitWord()}` : "spins";
}
