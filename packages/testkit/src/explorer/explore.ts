/**
 * The interleaving explorer: runs the threads of a model under every schedule of their atomic operations.
 *
 * JavaScript's atomics are sequentially consistent, so what threads can do to each other is exactly what some interleaving of their atomic
 * operations does. Trying them all, up to a bound of preemptions, finds each bug that the bound allows, or shows that there is none.
 * Plain accesses are part of the step before them unless the model says otherwise; a program whose correctness hangs on their order is
 * explored with `plainAccessesAreSteps`.
 *
 * The parts: runner.ts steps the threads, model.ts is the state and what may happen next, depth-first.ts and random-walk.ts choose.
 */

import { seeded } from "../seeded.ts";
import { type Decision, formatSchedule, parseSchedule } from "./decision.ts";
import { DepthFirst } from "./depth-first.ts";
import { ExplorerError } from "./explorer-error.ts";
import type { FoundFailure } from "./failure.ts";
import { GivenSchedule } from "./given-schedule.ts";
import { interceptedViews, intercepting, type ModelMemory } from "./intercept.ts";
import { Model, type SavedModel } from "./model.ts";
import { DORMANT, ModelThread } from "./model-thread.ts";
import { type Bounds, boundsOf, type ExploreOptions, type ThreadFunction } from "./options.ts";
import { RandomWalk } from "./random-walk.ts";
import type { ExploreResult, Failure } from "./result.ts";
import { type RunEnd, Runner } from "./runner.ts";
import { Tracer } from "./trace.ts";
import { TrackedMemory } from "./tracked-memory.ts";

/** Executions spent on looking for a simpler failure than the first. A guess: under a second. */
const SIMPLIFYING_EXECUTIONS = 20_000;

/**
 * Explores a model and returns what it found. Synchronous; `globalThis.Atomics` is a stand-in meanwhile.
 *
 * A failure is told by the execution with the fewest preemptions that shows one. Throws an ExplorerError if the model
 * cannot be explored: a thread that is not deterministic, asynchronous, or swallows the explorer's exception.
 *
 * ```ts
 * const result = explore({
 *   threads: [0, 1].map(() => ({ i32 }: ModelMemory) => Atomics.store(i32, 0, Atomics.load(i32, 0) + 1)),
 *   check: ({ i32 }) => expect(i32[0]).toBe(2),
 * });
 * expectFailure(result); // schedule "0 1 1 0": thread 0 stores what it loaded before
 * ```
 */
export function explore<Results extends readonly unknown[], Shared>(
  options: ExploreOptions<Shared, Results>,
): ExploreResult {
  return new Exploration(options).run();
}

/** A search's account of itself. */
interface Search {
  readonly executions: number;
  readonly pruned: number;
  readonly exhausted: boolean;
  readonly found?: Found;
}

/** A failure and the way to it. */
interface Found {
  readonly failure: FoundFailure;
  readonly schedule: readonly Decision[];
  readonly preemptions: number;
}

class Exploration<Shared, Results extends readonly unknown[]> {
  private readonly options: ExploreOptions<Shared, Results>;
  private readonly bounds: Bounds;
  private readonly model: Model;
  private readonly runner: Runner;
  private readonly views: ModelMemory;
  /** What setup returned; set before any thread runs. */
  private shared: Shared | undefined;
  private start: SavedModel | undefined;

  constructor(options: ExploreOptions<Shared, Results>) {
    this.options = options;
    this.bounds = boundsOf(options);
    const memory = new TrackedMemory(this.bounds.words);
    this.model = new Model(memory, this.makeThreads(), {
      ...this.bounds,
      victim: options.kill?.thread,
      undisturbed: options.kill?.interruptsRepair === false ? options.threads.length : undefined,
    });
    this.runner = new Runner(this.model, {
      plainAccessesAreSteps: options.plainAccessesAreSteps ?? false,
      killsWithinSteps: options.kill?.withinSteps ?? false,
      allowBlocked: options.allowBlocked ?? false,
      allowCatchAll: options.allowCatchAll ?? false,
      maxAccesses: this.bounds.maxAccesses,
      invariant: this.invariant(),
      check: () => this.check(),
    });
    this.views = interceptedViews(memory, this.runner);
  }

  run(): ExploreResult {
    return intercepting(this.views, this.runner, () => {
      this.shared = this.options.setup?.(this.views);
      this.start = this.model.save();
      const search = this.search();
      return this.report(search);
    });
  }

  /* The model */

  private makeThreads(): ModelThread[] {
    const { threads, kill } = this.options;
    const codes = threads as readonly ThreadFunction<Shared, unknown>[];
    const made = codes.map((code, index) => this.makeThread(index, code));
    if (kill?.repair !== undefined) made.push(this.makeThread(made.length, kill.repair, DORMANT));
    return made;
  }

  private makeThread(index: number, code: ThreadFunction<Shared, unknown>, status?: number): ModelThread {
    return new ModelThread(
      index,
      () => code(this.views, this.shared as Shared),
      this.bounds.idleReads,
      status,
    );
  }

  private invariant(): (() => void) | undefined {
    const { invariant } = this.options;
    return invariant && (() => invariant(this.views, this.shared as Shared));
  }

  private check(): void {
    const { threads } = this.model;
    const count = this.options.threads.length;
    const returned = threads.map((thread) => (thread.isDone() ? thread.returned : undefined));
    this.options.check?.(this.views, returned.slice(0, count) as unknown as Results, this.shared as Shared, {
      killed: this.model.state.killed,
      repaired: returned[count],
      blocked: threads.filter((thread) => thread.isUnfinished()).map((thread) => thread.index),
    });
  }

  /* Searching */

  private search(): Search {
    const { schedule, random } = this.options;
    if (schedule !== undefined) return this.runSchedule(parseSchedule(schedule));
    if (random !== undefined) return this.searchRandomly(random.runs, random.seed);
    return this.searchAll(this.bounds.preemptions, this.bounds.maxExecutions);
  }

  private runSchedule(schedule: readonly Decision[]): Search {
    const end = this.runner.run(new GivenSchedule(schedule));
    return { executions: 1, pruned: 0, exhausted: false, ...this.foundIn(end) };
  }

  private searchRandomly(runs: number, seed: number): Search {
    const walk = new RandomWalk(seeded(seed), this.model.threads.length);
    for (let run = 1; run <= runs; run++) {
      const end = this.runner.run(walk.nextRun());
      if (isFailure(end)) return { executions: run, pruned: 0, exhausted: false, ...this.foundIn(end) };
      walk.noteLength(this.model.state.decisions);
      this.goToStart();
    }
    return { executions: runs, pruned: 0, exhausted: false };
  }

  private searchAll(preemptions: number, maxExecutions: number): Search {
    const search = new DepthFirst(preemptions, this.options.reduce ?? true);
    const counts = { complete: 0, pruned: 0 };
    let decision: Decision | undefined;
    do {
      const end = this.runner.run(search, decision);
      if (isFailure(end)) return { ...accountOf(counts, 1), exhausted: false, ...this.foundIn(end) };
      counts[end]++;
      decision = search.backtrack(this.model);
    } while (decision !== undefined && counts.complete + counts.pruned < maxExecutions);
    return { ...accountOf(counts), exhausted: decision === undefined };
  }

  private goToStart(): void {
    this.model.restore(this.start as SavedModel); // kept before the first search
  }

  private foundIn(end: RunEnd): { found?: Found } {
    if (!isFailure(end)) return {};
    const { preemptions } = this.model.state;
    return { found: { failure: end, schedule: this.model.schedule(), preemptions } };
  }

  /* Telling */

  private report(search: Search): ExploreResult {
    const { random, onLimit, schedule } = this.options;
    const isOpen = !search.exhausted && search.found === undefined;
    const counted = { executions: search.executions, pruned: search.pruned, steps: this.runner.steps };
    return {
      ...counted,
      exhausted: search.exhausted,
      limited: isOpen && random === undefined && schedule === undefined && onLimit !== "accept",
      ...(search.found === undefined ? {} : { failure: this.tell(this.simplest(search.found)) }),
      ...(random === undefined ? {} : { seed: random.seed }),
    };
  }

  /** A failure with fewer preemptions than the one found, if a short search meets one. */
  private simplest(found: Found): Found {
    if (this.options.schedule !== undefined) return found;
    for (let preemptions = 0; preemptions < found.preemptions; preemptions++) {
      this.goToStart();
      const search = this.searchAll(preemptions, SIMPLIFYING_EXECUTIONS);
      if (search.found !== undefined) return search.found;
      if (!search.exhausted) break; // with more preemptions there is only more to search
    }
    return found;
  }

  /** Runs the failing schedule once more, watching. */
  private tell({ schedule }: Found): Failure {
    const tracer = new Tracer(this.options.name ?? (() => undefined));
    this.goToStart();
    const end = this.runner.run(new GivenSchedule(schedule), undefined, tracer);
    if (isFailure(end)) return { ...end, schedule: formatSchedule(schedule), trace: tracer.entries };
    throw new ExplorerError(
      `explore: schedule "${formatSchedule(schedule)}" failed once and not again: ` +
        "the model depends on something outside its shared memory",
    );
  }
}

function isFailure(end: RunEnd): end is FoundFailure {
  return typeof end === "object";
}

function accountOf(
  counts: { complete: number; pruned: number },
  failed = 0,
): Pick<Search, "executions" | "pruned"> {
  return { executions: counts.complete + failed, pruned: counts.pruned };
}
