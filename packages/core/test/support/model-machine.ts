/** Real machines as threads of an explorer model. */

import type { ModelMemory, ThreadFunction } from "@heddle/testkit";
import { type Body, declareBody } from "../../src/goroutine/functions.ts";
import { M_LIFE, M_WORDS, SCHED_COMING } from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { LIFE_STARTING } from "../../src/scheduler/idle/machine-life.ts";
import { Machine } from "../../src/scheduler/machine/machine.ts";
import type { MachinePlatform } from "../../src/scheduler/machine/machine-thread.ts";
import { HostThread } from "../../src/scheduler/thread/host.ts";
import { threadParts } from "../../src/scheduler/thread/thread-parts.ts";
import { loopText } from "../../src/values/text.ts";
import { withModelGlobals } from "./model-globals.ts";
import { type ModelShape, modelMemory, modelWords } from "./model-memory.ts";

/** Goroutines that a model may start: each has a word that counts how often it ran. */
const MARKS = 8;
/** The last of the words counts goroutines that were resumed after a join. */
export const JOINED = 7;

/** Words of a model with machines. */
export function machineModelWords(shape: ModelShape): number {
  return modelWords(shape) + MARKS;
}

/** What the threads share. */
export interface MachineModel {
  readonly memory: SharedMemory;
  /** Words that count the runs of goroutines 0 … 7. */
  readonly marks: number;
}

/** The thread that runs now: a body finds its machine here. */
let now:
  | { readonly machine: Machine; readonly model: MachineModel; readonly spinHint: () => void }
  | undefined;

/** What a goroutine of a model does: notes that it ran, starts others, and keeps its machine busy until certain ones have run. */
export interface Visit {
  /** Which of the marks is its own. */
  readonly mark: number;
  /** Starts so many more, with the marks that follow its own. */
  readonly children?: number;
  /** Waits for the first of them to end: parked, if there are two or more, since the last stands before it. */
  readonly joins?: boolean;
  /** Does not end before goroutines 1 … `until` have run: somebody else must run them. */
  readonly until?: number;
}

function* run(mark: number, children: number, joins: number, until: number): Goroutine<void> {
  const { machine, model, spinHint } = now as NonNullable<typeof now>;
  const { i32 } = machine;
  Atomics.add(i32, model.marks + mark, 1);
  const joined = joins === 1 ? machine.spawn(visit, [mark + 1, 0, 0, 0]) : undefined;
  for (let child = mark + 1 + joins; child <= mark + children; child++) start(machine, { mark: child });
  if (joined !== undefined) yield* joined;
  for (let other = 1; other <= until; other++)
    while (Atomics.load(i32, model.marks + other) === 0) spinHint();
  if (joins === 1) Atomics.add(i32, model.marks + JOINED, 1);
}

const visit: Body = declareBody({ url: "model:bodies" }, run as Body, "visit");

function start(thread: Machine, { mark, children = 0, joins = false, until = 0 }: Visit): void {
  thread.go(visit, [mark, children, Number(joins), until]);
}

const partsOf = (memory: SharedMemory, number: number) => threadParts({ memory, number, text: loopText });

/** Machines 1 … `machines` are on their way: each arrives in a thread of the model. */
export function setupMachines(modelViews: ModelMemory, shape: ModelShape, machines: number): MachineModel {
  const memory = modelMemory(modelViews, shape);
  const { i32 } = memory;
  const host = new HostThread(partsOf(memory, 0), {
    keepAlive: () => {},
    expectResults: () => {},
    rejectWithSite: () => {},
  });
  host.functionId(visit);
  for (let m = 1; m <= machines; m++) i32[memory.layout.machines + m * M_WORDS + M_LIFE] = LIFE_STARTING;
  i32[SCHED_COMING] = machines;
  return { memory, marks: modelWords(shape) };
}

/** Publishes goroutines in the global queue, as a host does: in setup. */
export function submitFirst(model: MachineModel, ...visits: Visit[]): void {
  const host = new Submitter(partsOf(model.memory, 0));
  for (const what of visits) start(host, what);
}

/** A host without its event loop: every goroutine is published at once. */
class Submitter extends Machine {
  constructor(parts: ReturnType<typeof partsOf>) {
    super(parts, modelPlatform());
  }

  override enqueueNew(goroutine: number): void {
    this.globalQueue.push(goroutine);
    this.idle.wakeOneIfIdle();
  }
}

/** What a machine finds of its package: no modules, no event loop. */
export function modelPlatform(): MachinePlatform {
  return {
    eventsPending: () => false,
    requestRun: () => {},
    runMicrotasks: () => false,
    load: (): Promise<object> => Promise.reject(new Error("a model loads no modules")),
    enterAsync: (_frame: unknown, start: () => unknown) => start(),
    asyncFrame: () => undefined,
    panic: (_goroutine: number, error: unknown) => {
      throw error;
    },
  };
}

/** A machine that runs for ever. `prepare` may break it. */
export function runsMachine(
  number: number,
  prepare: (machine: Machine) => void = () => {},
): ThreadFunction<MachineModel, void> {
  return ({ spinHint }, model) =>
    withModelGlobals(() => {
      const machine = new Machine(partsOf(model.memory, number), modelPlatform());
      prepare(machine);
      now = { machine, model, spinHint };
      for (;;) machine.run();
    });
}

/** A host that submits goroutines. */
export function submits(...visits: Visit[]): ThreadFunction<MachineModel, void> {
  return ({ spinHint }, model) =>
    withModelGlobals(() => {
      const host = new Submitter(partsOf(model.memory, 0));
      now = { machine: host, model, spinHint };
      for (const what of visits) start(host, what);
    });
}
