/**
 * Is a history of concurrent operations one that a sequential object could have had?
 *
 * Threads note when each operation began and ended, by one clock, and what it gave. The history is linearizable if the operations can be put in an order in which every one takes effect between its beginning and its
 * end, and gives what the sequential object gives in that order. The check tries the orders: Wing and Gong's search, with Lowe's memory of configurations (operations done, state) that have already led nowhere.
 * An operation that never ended may have taken effect or not.
 *
 * The search is exponential at worst. With the few threads that it is meant for, and forty or so operations, it takes milliseconds.
 */

/** One operation of a history. */
export interface RecordedOperation<Operation, Result> {
  readonly thread: number;
  readonly operation: Operation;
  /** What it gave; means nothing if it never ended. */
  readonly result: Result;
  /** Readings of one clock that all threads share. */
  readonly began: number;
  /** `Infinity` if it never ended. */
  readonly ended: number;
}

/** The object as it would be with one thread. */
export interface SequentialModel<State, Operation, Result> {
  readonly initial: State;
  /** The state after `operation` if it can give `result` in `state`; `undefined` if it cannot. For an operation that never ended `ended` is false, and any result will do. The state given is not changed. */
  readonly step: (state: State, operation: Operation, result: Result, ended: boolean) => State | undefined;
  /** Equal for states that behave alike. */
  readonly key: (state: State) => string;
}

/** What the check found. */
export interface LinearizabilityResult<Operation, Result> {
  readonly linearizable: boolean;
  /** An order that explains the history; or the longest that explains a part of it. */
  readonly order: readonly RecordedOperation<Operation, Result>[];
  /** The operations that no order goes on with. */
  readonly stuck: readonly RecordedOperation<Operation, Result>[];
  /** Configurations looked at. */
  readonly looked: number;
}

/** Looks for an order that explains a history. */
export function checkLinearizable<State, Operation, Result>(
  history: readonly RecordedOperation<Operation, Result>[],
  model: SequentialModel<State, Operation, Result>,
): LinearizabilityResult<Operation, Result> {
  return new Search(history, model).run();
}

/** For messages: who did what when. */
export function formatHistory<Operation, Result>(
  history: readonly RecordedOperation<Operation, Result>[],
): string {
  return [...history]
    .sort((a, b) => a.began - b.began)
    .map(({ thread, operation, result, began, ended }) => {
      const until = ended === Number.POSITIVE_INFINITY ? "…" : ended;
      return `thread ${thread} [${began}, ${until}] ${JSON.stringify(operation)} → ${JSON.stringify(result)}`;
    })
    .join("\n");
}

class Search<State, Operation, Result> {
  private readonly history: readonly RecordedOperation<Operation, Result>[];
  private readonly model: SequentialModel<State, Operation, Result>;
  private readonly done: boolean[];
  private readonly dead = new Set<string>();
  private readonly order: RecordedOperation<Operation, Result>[] = [];
  private longest: RecordedOperation<Operation, Result>[] = [];
  private looked = 0;

  constructor(
    history: readonly RecordedOperation<Operation, Result>[],
    model: SequentialModel<State, Operation, Result>,
  ) {
    // In the order in which they began, so that the search meets the likely next ones first.
    this.history = [...history].sort((a, b) => a.began - b.began);
    this.model = model;
    this.done = history.map(() => false);
  }

  run(): LinearizabilityResult<Operation, Result> {
    const linearizable = this.extend(this.model.initial);
    const order = linearizable ? this.order : this.longest;
    const stuck = linearizable ? [] : this.history.filter((one) => !order.includes(one));
    return { linearizable, order, stuck, looked: this.looked };
  }

  /** Whether what is left of the history can follow upon `state`. */
  private extend(state: State): boolean {
    const soonest = this.soonestEnd();
    if (soonest === Number.POSITIVE_INFINITY) return true;
    const configuration = `${this.done.map(Number).join("")} ${this.model.key(state)}`;
    if (this.dead.has(configuration)) return false;
    this.looked++;
    for (let i = 0; i < this.history.length; i++) {
      const one = this.history[i] as RecordedOperation<Operation, Result>;
      // Whoever has not begun when another ends comes after it, and so do all that follow.
      if (one.began > soonest) break;
      if (this.done[i] === true) continue;
      const ended = one.ended !== Number.POSITIVE_INFINITY;
      const next = this.model.step(state, one.operation, one.result, ended);
      if (next === undefined) continue;
      this.done[i] = true;
      this.order.push(one);
      if (this.order.length > this.longest.length) this.longest = [...this.order];
      if (this.extend(next)) return true;
      this.order.pop();
      this.done[i] = false;
    }
    this.dead.add(configuration);
    return false;
  }

  /** When the first of those that are left ends. */
  private soonestEnd(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const [i, { ended }] of this.history.entries())
      if (this.done[i] === false && ended < soonest) soonest = ended;
    return soonest;
  }
}
