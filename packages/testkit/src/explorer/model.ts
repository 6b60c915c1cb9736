/**
 * A model in one of its states: memory, threads, who sleeps on which word, and which decisions are possible next.
 *
 * A state is left by `take`-ing a decision and letting its thread run (runner.ts), and come back to with `save` and `restore`, which cost
 * a few small objects, not the memory.
 *
 * Preemptions. A decision that switches away from a thread which could have gone on is a preemption. Switching is free when the thread is done,
 * asleep, dead or spinning. Bugs seldom need more than two preemptions, and bounding them makes the number of schedules polynomial in the
 * length of the threads.
 *
 * Time. A sleeper with a timeout may time out at any moment, though only `timeouts` times while others could run, or a loop of naps
 * would have no end. When nobody can run but spinning and napping threads, time passes: a *round* begins, in which each spinner goes on
 * and each nap may end. Rounds without a change of memory are counted; more than `rounds` of them mean that the threads spin for ever.
 */

import { type Decision, isStep, isTimeout, killOf, stepOf, threadOf, timeoutOf } from "./decision.ts";
import {
  DORMANT,
  KILLED,
  type ModelThread,
  READY,
  type ThreadState,
  WAITING_TIMED,
  YIELDED,
} from "./model-thread.ts";
import { mix, SEED_A, SEED_B, type TrackedMemory } from "./tracked-memory.ts";

/** Nobody: the last thread that ran is gone, or time has passed since. */
const NOBODY = -1;

/** Bounds that a model sets. */
export interface ModelLimits {
  /** How often each thread's waits may time out while others could run. */
  readonly timeouts: number;
  /** Rounds without a change of memory before spinning counts as endless. */
  readonly rounds: number;
  /** The thread to be killed at some step. */
  readonly victim: number | undefined;
  /** A thread that nobody interrupts while it can go on. */
  readonly undisturbed: number | undefined;
}

/** What changes from decision to decision, beside memory and threads. */
interface ModelState {
  /** Threads in `Atomics.wait`, in the order in which they fell asleep. */
  sleepers: readonly number[];
  /** The thread that stepped last. */
  current: number;
  /** Whether the latest decision was a step: only right after it can its thread be killed. */
  stepped: boolean;
  /** Who was killed. */
  killed: number | undefined;
  /** Rounds since memory changed. */
  rounds: number;
  /** Whether naps may end in this round although their timeouts are used up. */
  timePasses: boolean;
  preemptions: number;
  /** Decisions taken. */
  decisions: number;
}

export interface SavedModel {
  readonly state: ModelState;
  readonly threads: readonly ThreadState[];
  readonly mark: number;
}

export class Model {
  readonly memory: TrackedMemory;
  readonly threads: readonly ModelThread[];
  state: ModelState = {
    sleepers: [],
    current: NOBODY,
    stepped: false,
    killed: undefined,
    rounds: 0,
    timePasses: false,
    preemptions: 0,
    decisions: 0,
  };

  private readonly limits: ModelLimits;
  private readonly taken: Decision[] = [];
  private readonly possible: Decision[] = [];

  constructor(memory: TrackedMemory, threads: readonly ModelThread[], limits: ModelLimits) {
    this.memory = memory;
    this.threads = threads;
    this.limits = limits;
  }

  thread(index: number): ModelThread {
    return this.threads[index] as ModelThread; // indices come from decisions, which were made from the threads
  }

  /** The decisions that led here from the start. */
  schedule(): Decision[] {
    return this.taken.slice(0, this.state.decisions);
  }

  /* Going back */

  save(): SavedModel {
    const threads = this.threads.map((thread) => ({ ...thread.state }));
    return { state: { ...this.state }, threads, mark: this.memory.mark() };
  }

  restore(saved: SavedModel): void {
    this.memory.rollBack(saved.mark);
    this.state = { ...saved.state };
    for (const thread of this.threads) thread.state = { ...(saved.threads[thread.index] as ThreadState) };
  }

  /* Deciding */

  /**
   * What may happen next; the current thread's step comes first, so that the first choice everywhere is a run without preemptions.
   * Empty at the end. The array is the model's own and is filled anew by the next call.
   */
  decisions(): readonly Decision[] {
    this.collectDecisions();
    if (this.possible.length === 0 && this.letTimePass()) this.collectDecisions();
    return this.possible;
  }

  private collectDecisions(): void {
    const { possible, threads } = this;
    const { current } = this.state;
    possible.length = 0;
    if (this.canGoOn()) possible.push(stepOf(current));
    if (this.isUndisturbed()) return;
    if (!this.isRepeating()) {
      for (const { index, state } of threads) {
        if (state.status === READY && index !== current) possible.push(stepOf(index));
      }
    }
    for (const thread of threads) if (this.mayTimeOut(thread)) possible.push(timeoutOf(thread.index));
    if (this.mayKill()) possible.push(killOf(current));
  }

  /** What may happen in the middle of a victim's step, between two plain accesses: it goes on, or dies. */
  deathsWithinStep(): readonly Decision[] {
    const { possible } = this;
    const { current } = this.state;
    possible.length = 0;
    possible.push(stepOf(current), killOf(current));
    return possible;
  }

  private isUndisturbed(): boolean {
    return this.state.current === this.limits.undisturbed && this.canGoOn();
  }

  /**
   * A victim dies right after one of its steps or not at all. Dying later, after steps of others, would leave the same memory; that the repair
   * begins late is covered by the schedules in which it has to wait for its turn.
   */
  mayKill(): boolean {
    const { current, killed, stepped } = this.state;
    if (!stepped || killed !== undefined || current !== this.limits.victim) return false;
    return this.thread(current).isUnfinished();
  }

  private mayTimeOut(thread: ModelThread): boolean {
    if (thread.state.status !== WAITING_TIMED) return false;
    return this.state.timePasses || thread.state.timeouts < this.limits.timeouts;
  }

  /** In the second round of spinning and later ones nobody is interrupted: what threads that learn nothing do to each other has been seen. */
  private isRepeating(): boolean {
    return this.state.rounds > 1 && this.canGoOn();
  }

  /** Begins a round for threads that only spin or nap. False if there are none, or too many rounds have changed nothing. */
  private letTimePass(): boolean {
    if (this.state.rounds >= this.limits.rounds || !this.isSpinning()) return false;
    this.state.rounds++;
    this.state.timePasses = true;
    this.state.current = NOBODY;
    for (const thread of this.threads) thread.resumeSpinning();
    return true;
  }

  /** Whether some thread could go on for ever without changing anything. */
  isSpinning(): boolean {
    return this.threads.some(({ state }) => state.status === YIELDED || state.status === WAITING_TIMED);
  }

  canGoOn(): boolean {
    const { current } = this.state;
    return current !== NOBODY && this.thread(current).state.status === READY;
  }

  isPreemption(decision: Decision): boolean {
    return isStep(decision) && threadOf(decision) !== this.state.current && this.canGoOn();
  }

  /** Records a decision. A timeout or a kill happens at once; a step is for the runner to carry out. */
  take(decision: Decision): void {
    const { state } = this;
    if (this.isPreemption(decision)) state.preemptions++;
    this.taken[state.decisions++] = decision;
    state.stepped = isStep(decision);
    if (state.stepped) state.current = threadOf(decision);
    else if (isTimeout(decision)) this.timeOut(this.thread(threadOf(decision)));
    else this.kill(this.thread(threadOf(decision)));
    state.timePasses = false;
  }

  private timeOut(thread: ModelThread): void {
    if (!this.state.timePasses) thread.state.timeouts++;
    this.removeSleeper(thread.index);
    thread.wake("timed-out");
  }

  /** The thread stops for ever where it stands, as when its worker is terminated; the repair thread may begin. */
  private kill(thread: ModelThread): void {
    this.removeSleeper(thread.index);
    thread.state.status = KILLED;
    this.state.killed = thread.index;
    for (const { state } of this.threads) if (state.status === DORMANT) state.status = READY;
  }

  /* What steps do, beside memory */

  fallAsleep(thread: ModelThread, key: number, timed: boolean): void {
    thread.sleep(key, timed);
    this.state.sleepers = [...this.state.sleepers, thread.index];
  }

  /** Wakes up to `count` sleepers on a word, the longest asleep first. Returns how many. */
  notify(word: number, count: number): number {
    let woken = 0;
    for (const index of this.state.sleepers) {
      const thread = this.thread(index);
      if (woken >= count || thread.waitWord() !== word) continue;
      this.removeSleeper(index);
      thread.wake("ok");
      woken++;
    }
    return woken;
  }

  private removeSleeper(index: number): void {
    const { sleepers } = this.state;
    if (sleepers.includes(index)) this.state.sleepers = sleepers.filter((sleeper) => sleeper !== index);
  }

  /** `by` changed memory or woke somebody: the others' spinning may find something new. */
  noteChange(by: ModelThread): void {
    this.state.rounds = 0;
    for (const thread of this.threads) if (thread !== by) thread.resumeSpinning();
  }

  /* Fingerprint */

  /**
   * One lane (0 or 1) of a fingerprint: equal states have equal lanes, different states almost surely not. Who ran last is part of the state
   * only if preemptions are bounded.
   */
  fingerprint(lane: 0 | 1, isBounded: boolean): number {
    const seed = lane === 0 ? SEED_A : SEED_B;
    let hash = mix(lane === 0 ? this.memory.laneA : this.memory.laneB, this.counters(isBounded), seed);
    for (const thread of this.threads) {
      // What a dead thread has seen makes no difference any more: dying after a look is dying before it.
      const isDead = thread.state.status === KILLED;
      hash = mix(hash, isDead ? 0 : lane === 0 ? thread.state.laneA : thread.state.laneB, seed);
      hash = mix(hash, isDead ? KILLED : thread.counters(), seed);
    }
    for (const sleeper of this.state.sleepers) hash = mix(hash, sleeper, seed);
    return hash;
  }

  private counters(isBounded: boolean): number {
    const { current, killed, rounds, timePasses } = this.state;
    const flags = Number(this.mayKill()) | (Number(timePasses) << 1) | (Number(killed !== undefined) << 2);
    // A current thread that cannot go on makes no difference: whatever comes next is no preemption.
    return flags | ((isBounded && this.canGoOn() ? current + 1 : 0) << 3) | (rounds << 8);
  }
}
