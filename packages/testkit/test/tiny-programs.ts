/**
 * Straight-line programs over two shared words, and their possible outcomes found in two ways: by the explorer, and by a
 * recursion over all interleavings that is too simple to be wrong.
 */

import {
  type ExploreOptions,
  expectNoFailure,
  explore,
  type ModelMemory,
  type SeededRandom,
} from "@heddle/testkit";

type Kind = "load" | "store" | "add" | "exchange" | "compareExchange" | "wait" | "timedWait" | "notify";

interface Instruction {
  readonly kind: Kind;
  readonly word: number;
  readonly operand: number;
  readonly replacement: number;
}

export type Program = readonly (readonly Instruction[])[];

const KINDS: readonly Kind[] = [
  "load",
  "store",
  "add",
  "exchange",
  "compareExchange",
  "wait",
  "timedWait",
  "notify",
];

export function randomProgram(random: SeededRandom): Program {
  const instruction = (): Instruction => ({
    kind: random.pick(KINDS),
    word: random.below(2),
    operand: random.below(2),
    replacement: random.below(3),
  });
  const sizes = random.below(2) === 0 ? [4, 4] : [2, 3, 2];
  return sizes.map((length) => Array.from({ length }, instruction));
}

/* By the explorer */

function runInstruction(i32: Int32Array, { kind, word, operand, replacement }: Instruction): unknown {
  if (kind === "load") return Atomics.load(i32, word);
  if (kind === "wait") return Atomics.wait(i32, word, operand);
  if (kind === "timedWait") return Atomics.wait(i32, word, operand, 1);
  if (kind === "notify") return Atomics.notify(i32, word, 1);
  if (kind === "compareExchange") return Atomics.compareExchange(i32, word, operand, replacement);
  return Atomics[kind](i32, word, operand);
}

/** Outcomes in a fixed order. Results go to memory outside the model, each thread to its own list, made anew in every run. */
export function outcomesExplored(
  program: Program,
  options: Partial<ExploreOptions<undefined, string[]>>,
): string[] {
  const outcomes = new Set<string>();
  const threads = program.map(
    (instructions) =>
      ({ i32 }: ModelMemory): string =>
        instructions.map((instruction) => runInstruction(i32, instruction)).join(" "),
  );
  const check = ({ i32 }: ModelMemory, results: string[]): void => {
    outcomes.add([i32[0], i32[1], ...results.map((result) => result ?? "blocked")].join(" | "));
  };
  const bounds = { timeouts: 15, allowBlocked: true, words: 2 };
  expectNoFailure(explore({ threads, check, ...bounds, ...options }));
  return [...outcomes].sort();
}

/* By hand */

interface State {
  readonly words: readonly number[];
  readonly results: readonly (readonly unknown[])[];
  /** Threads asleep, oldest first. */
  readonly sleepers: readonly number[];
  readonly current: number;
  readonly preemptions: number;
}

export function outcomesByHand(program: Program, maxPreemptions: number): string[] {
  const outcomes = new Set<string>();
  const seen = new Set<string>();
  const visit = (state: State): void => {
    const key = JSON.stringify(state);
    if (seen.has(key)) return;
    seen.add(key);
    const followers = successors(program, state).filter(({ preemptions }) => preemptions <= maxPreemptions);
    if (followers.length === 0) outcomes.add(describe(program, state));
    for (const follower of followers) visit(follower);
  };
  visit({ words: [0, 0], results: program.map(() => []), sleepers: [], current: -1, preemptions: 0 });
  return [...outcomes].sort();
}

function describe(program: Program, { words, results }: State): string {
  const ends = results.map((list, thread) =>
    list.length < program[thread].length ? "blocked" : list.join(" "),
  );
  return [...words, ...ends].join(" | ");
}

const nextInstruction = (program: Program, state: State, thread: number): Instruction | undefined =>
  program[thread][state.results[thread].length];

const canStep = (program: Program, state: State, thread: number): boolean =>
  !state.sleepers.includes(thread) && nextInstruction(program, state, thread) !== undefined;

function successors(program: Program, state: State): State[] {
  const goesOn = state.current >= 0 && canStep(program, state, state.current);
  const steps = [...program.keys()]
    .filter((thread) => canStep(program, state, thread))
    .map((thread) => {
      const preempts = goesOn && thread !== state.current;
      return step(program, { ...state, preemptions: state.preemptions + Number(preempts) }, thread);
    });
  const timeouts = state.sleepers
    .filter((thread) => nextInstruction(program, state, thread)?.kind === "timedWait")
    .map((thread) => wake(state, thread, "timed-out"));
  return [...steps, ...timeouts];
}

function step(program: Program, before: State, thread: number): State {
  const state = { ...before, current: thread };
  const { kind, word, operand, replacement } = nextInstruction(program, state, thread)!;
  const value = state.words[word];
  const put = (next: number, result = value): State =>
    append({ ...state, words: state.words.with(word, next) }, thread, result);
  if (kind === "load") return put(value);
  if (kind === "store") return put(operand, operand);
  if (kind === "add") return put(value + operand);
  if (kind === "exchange") return put(operand);
  if (kind === "compareExchange") return put(value === operand ? replacement : value);
  if (kind === "notify") return notify(program, state, thread, word);
  if (value !== operand) return append(state, thread, "not-equal");
  return { ...state, sleepers: [...state.sleepers, thread] };
}

function notify(program: Program, state: State, thread: number, word: number): State {
  const oldest = state.sleepers.find((sleeper) => nextInstruction(program, state, sleeper)?.word === word);
  if (oldest === undefined) return append(state, thread, 0);
  return append(wake(state, oldest, "ok"), thread, 1);
}

function wake(state: State, thread: number, result: string): State {
  const sleepers = state.sleepers.filter((sleeper) => sleeper !== thread);
  return append({ ...state, sleepers }, thread, result);
}

function append(state: State, thread: number, result: unknown): State {
  const results = state.results.map((list, index) => (index === thread ? [...list, result] : list));
  return { ...state, results };
}
