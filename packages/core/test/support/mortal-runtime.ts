/**
 * A whole runtime for the explorer, one of whose machines may die at any step: real machines that run real bodies, and the host's real repair (src/repair), which begins when the machine is dead and goes on as the supervisor of
 * the package workers does: at once what is known to be the dead one's, and then, when all others are held at safe points, the sweep.
 *
 * A scenario says what the goroutines do. The check at the end asks the same of all of them: everybody has ended or is reported lost, once; nobody waits; all locks are free, all lists in order, all counts right.
 */

import { type ExecutionEnd, type ExploreResult, explore, type ModelMemory } from "@heddle/testkit";
import { expect } from "vitest";
import { CHANNEL_KIND, Channel, chan } from "../../src/channel/channel.ts";
import { seedOrder } from "../../src/channel/random.ts";
import { registerKinds } from "../../src/context/kinds.ts";
import { auditMemory } from "../../src/inspect/audit.ts";
import { describeGoroutine } from "../../src/inspect/goroutines.ts";
import {
  C_BUFFER,
  CONTEXT_LOCK,
  FN_LOCK,
  GLOBAL_LOCK,
  GLOBAL_SIZE,
  M_INBOX,
  M_LIFE,
  M_WORDS,
  O_KIND,
  O_LOCK,
  O_REFS,
  O_WORDS,
  P_MACHINE,
  P_TIMER_LOCK,
  P_WORDS,
  POOL_KINDS,
  POOL_LOCK,
  POOL_WORDS,
  SCHED_COMING,
  SCHED_IDLE,
  SCHED_LOCK,
  SLAB_LOCK,
} from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { RunQueueStealer } from "../../src/queue/run-queue.ts";
import { Repair } from "../../src/repair/repair.ts";
import { liveGoroutines } from "../../src/scheduler/idle/counters.ts";
import { LIFE_STARTING } from "../../src/scheduler/idle/machine-life.ts";
import { Machine } from "../../src/scheduler/machine/machine.ts";
import { becomeMachine } from "../../src/scheduler/thread/ambient.ts";
import type { HostThread } from "../../src/scheduler/thread/host.ts";
import { type ObjectTable, objectsOf, type SharedObject } from "../../src/scheduler/thread/shared-object.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { Semaphore } from "../../src/sync/semaphore.ts";
import { withModelGlobals } from "./model-globals.ts";
import { modelPlatform } from "./model-machine.ts";
import type { ModelShape } from "./model-memory.ts";
import {
  BEGAN,
  ENDED,
  hasEnded,
  isLost,
  LOST,
  mark,
  type Role,
  roleWord,
  standAt,
  WHERE,
  waitForQuiet,
} from "./mortal-roles.ts";
import {
  holdingsOf,
  hostOf,
  NOTES,
  newWorld,
  partsOf,
  VICTIM,
  type World,
  wordNames,
  wordsOf,
} from "./mortal-world.ts";

/** Two machines, each with a processor. */
const SHAPE: ModelShape = { procs: 2, maxMachines: 2 };
const MACHINES = 2;
/** Later than any timer of a model. */
const LATE_MS = 1e9;

// ───────────────────────────── threads ─────────────────────────────

/** A machine that runs for ever. */
function runsMachine(world: World, number: number, spinHint: () => void): void {
  withModelGlobals(() => {
    const machine = new Machine(partsOf(world, number), modelPlatform());
    registerKinds(machine);
    becomeMachine(machine);
    seedOrder(number);
    standAt({ i32: machine.i32, world, machine: number, spinHint });
    for (;;) machine.run();
  });
}

/** What is done on the host, as the supervisor of the package workers does it. */
function supervises(scene: Scene, world: World, spinHint: () => void): void {
  withModelGlobals(() => {
    const host = hostOf(world, false);
    standAt({ i32: host.i32, world, machine: 0, spinHint });
    const repair = new Repair(host, {
      holdingsOf: (machine) => holdingsOf(world, machine),
      panic: (base) => {
        const { name } = describeGoroutine(host, base);
        mark((scene.roles.find((each) => each.name === name) as Role).place, LOST);
      },
    });
    repair.machineLost({ machine: VICTIM, reason: "killed", cause: undefined }, holdingsOf(world, VICTIM));
    repair.stop.rollCall();
    repair.seeToWork();
    while (!repair.stop.haveAllPassed()) {
      spinHint();
      repair.seeToWork();
    }
    repair.stop.ask();
    for (host.drain(); !repair.stop.tryHold(); host.drain()) spinHint();
    repair.sweep();
    repair.stop.release();
    repair.seeToWork();
    if (scene.sleeps) runTimers(host, scene.first, spinHint);
    const objects = (scene.objects ?? []).map((kind, i) =>
      kind.again(objectsOf(host), world.objects[i] as number),
    );
    waitForQuiet();
    scene.afterwards?.(...(objects as never[]));
  });
}

/** As sysmon does for processors that are idle. */
function runTimers(host: HostThread, first: readonly Role[], spinHint: () => void): void {
  do {
    for (let p = 0; p < host.memory.shape.procs; p++) host.timers.runDue(p, LATE_MS);
    spinHint();
  } while (!first.every((each) => hasEnded(each) || isLost(each)));
}

// ───────────────────────────── scenes ─────────────────────────────

/** A kind of objects that goroutines share. */
export interface Shared {
  /** Makes one, on the host. */
  make(): SharedObject;
  /** The host's object for a record that was made before. */
  again(table: ObjectTable, index: number): SharedObject;
}

export const aChannel = (capacity: number): Shared => ({
  make: () => chan<number>(capacity) as Channel<number>,
  again: (table, index) => new Channel(table, index),
});

/** A class of sync objects as the kernel uses it, which its published types do not show. */
type Kernel = new (...args: unknown[]) => SharedObject;

export const aMutex: Shared = {
  make: () => new (Mutex as unknown as Kernel)(),
  again: (table, index) => new (Mutex as unknown as Kernel)(table, index),
};
export const aSemaphore = (permits: number): Shared => ({
  make: () => new (Semaphore as unknown as Kernel)(permits),
  again: (table, index) => new (Semaphore as unknown as Kernel)(permits, table, index),
});

/** A word of an object's record. */
export function wordOf(object: object, offset: number): number {
  const { table, index } = object as SharedObject & { readonly table: ObjectTable };
  return table.i32[table.baseOf(index) + offset] as number;
}

/** A scenario. */
export interface Scene {
  /** Everybody who may occur. */
  readonly roles: readonly Role[];
  /** Those who stand in the global queue at the beginning. Each is given the objects as its arguments. */
  readonly first: readonly Role[];
  /** Done on the host after the repair, with the objects, when all sleep: what the lost have left undone, so that everybody can end. */
  readonly afterwards?: (...objects: never[]) => void;
  /** What the goroutines share. */
  readonly objects?: readonly Shared[];
  /** Blocks that they may have at the end, beside the buffers of channels. */
  readonly blocks?: number;
  /** Throws if something is wrong at the end of an execution in which the machine died. `notes` are the words of `note`. */
  readonly check?: (notes: readonly number[], told: Told) => void;
  /** Whether they sleep: then the host runs what is due in the place of sysmon, of which there is none. */
  readonly sleeps?: boolean;
  /** Default 0: the machines take turns where one waits, and where one dies. Each more multiplies the schedules by some tens. */
  readonly preemptions?: number;
}

/** What became of the goroutines. */
export interface Told {
  began(role: Role): boolean;
  ended(role: Role): boolean;
  lost(role: Role): boolean;
  /** Whether it began on the machine that died. */
  onVictim(role: Role): boolean;
  /** A word of one of the objects. */
  wordOf(object: number, offset: number): number;
}

/** Two machines, the first of which dies after every access that changes memory. */
export function exploreDeath(scene: Scene): ExploreResult {
  const machine =
    (number: number) =>
    ({ spinHint }: ModelMemory, world: World): void =>
      runsMachine(world, number, spinHint);
  return explore<void[], World>({
    words: wordsOf(SHAPE),
    setup: (memory) => withModelGlobals(() => setUp(scene, memory)),
    threads: [machine(VICTIM), machine(2)],
    kill: {
      thread: 0,
      withinSteps: true,
      interruptsRepair: false,
      repair: ({ spinHint }, world) => supervises(scene, world, spinHint),
    },
    check: (_memory, _results, world, end) => withModelGlobals(() => checkEnd(scene, world, end)),
    allowBlocked: true,
    maxAccesses: 100_000,
    timeouts: 0,
    preemptions: scene.preemptions ?? 0,
    name: wordNames(SHAPE),
  });
}

function setUp(scene: Scene, views: ModelMemory): World {
  const bare = newWorld(views, SHAPE);
  const { i32, layout } = bare.memory;
  const host = hostOf(bare, true);
  for (const { body } of scene.roles) host.functionId(body);
  const objects = (scene.objects ?? []).map((kind) => kind.make());
  for (const { body } of scene.first) host.go(body, objects);
  for (let m = 1; m <= MACHINES; m++) i32[layout.machines + m * M_WORDS + M_LIFE] = LIFE_STARTING;
  i32[SCHED_COMING] = MACHINES;
  return { ...bare, objects: objects.map(({ index }) => index) };
}

// ───────────────────────────── the check ─────────────────────────────

function checkEnd(scene: Scene, world: World, { killed, blocked }: ExecutionEnd): void {
  if (killed === undefined) return;
  const { i32 } = world.memory;
  expect(blocked, "threads that have not ended: only machines").not.toContain(MACHINES);
  const told = tell(world);
  for (const each of scene.first)
    expect([each.name, told.ended(each) || told.lost(each)]).toEqual([each.name, true]);
  for (const each of scene.roles) checkRole(each, world, told);
  checkRuntime(world, scene.blocks ?? 0);
  const { notes } = world;
  scene.check?.(
    Array.from({ length: NOTES }, (_, word) => i32[notes + word] as number),
    told,
  );
}

function tell(world: World): Told {
  const { i32, layout } = world.memory;
  const of = (each: Role, what: number): number => i32[roleWord(world, each.place) + what] as number;
  return {
    began: (each) => of(each, BEGAN) > 0,
    ended: (each) => of(each, ENDED) > 0,
    lost: (each) => of(each, LOST) > 0,
    onVictim: (each) => of(each, WHERE) === VICTIM,
    wordOf: (object, offset) =>
      i32[layout.objects + (world.objects[object] as number) * O_WORDS + offset] as number,
  };
}

function checkRole(each: Role, world: World, told: Told): void {
  const { i32 } = world.memory;
  const at = roleWord(world, each.place);
  const counts = [BEGAN, ENDED, LOST].map((what) => i32[at + what] as number);
  expect(Math.max(...counts), `${each.name} began, ended, was lost: ${counts.join()}`).toBeLessThanOrEqual(1);
  // Whoever began elsewhere cannot be lost.
  if (told.began(each) && told.lost(each))
    expect([each.name, told.onVictim(each)]).toEqual([each.name, true]);
}

/** Nobody is left, nothing is locked, all processors are idle, every free record is free once. */
function checkRuntime(world: World, ownBlocks: number): void {
  const { memory } = world;
  const { i32, layout, shape } = memory;
  expect(lockedWords(memory)).toEqual([]);
  expect(i32[SCHED_IDLE], "idle processors, searching machines").toBe(shape.procs << 16);
  for (let p = 0; p < shape.procs; p++) {
    expect(i32[layout.processors + p * P_WORDS + P_MACHINE]).toBe(0);
    expect(new RunQueueStealer(i32, layout.processors + p * P_WORDS).isEmpty()).toBe(true);
  }
  for (let m = 1; m <= shape.maxMachines; m++) expect(i32[layout.machines + m * M_WORDS + M_INBOX]).toBe(0);
  expect(i32[GLOBAL_SIZE]).toBe(0);
  expect(liveGoroutines(memory), "live goroutines").toBe(0);
  checkReferences(world);
  const { problems, goroutines, blocks } = auditMemory(hostOf(world, false));
  expect(problems).toEqual([]);
  // A batch of descriptors is one, with a table as small as this.
  expect(goroutines, "descriptors in use").toBeLessThanOrEqual(1);
  const buffers = world.objects.filter((index) => isBuffered(world, index)).length;
  expect(blocks - buffers - ownBlocks, "blocks in use of the dead one").toBeLessThanOrEqual(2);
}

function isBuffered({ memory }: World, index: number): boolean {
  const base = memory.layout.objects + index * O_WORDS;
  return memory.i32[base + O_KIND] === CHANNEL_KIND && memory.i32[base + C_BUFFER] !== 0;
}

/** What the living hold is counted; what the dead one held is not, but for what it had in its hands. */
function checkReferences(world: World): void {
  const { i32, layout, shape } = world.memory;
  for (let index = 1; index <= shape.maxObjects; index++) {
    const counted = i32[layout.objects + index * O_WORDS + O_REFS] as number;
    let held = 0;
    for (let m = 0; m <= shape.maxMachines; m++) {
      if (m === VICTIM) continue;
      const { objects } = holdingsOf(world, m);
      for (let at = 0; at < objects.length && objects[at] !== 0; at++) if (objects[at] === index) held++;
    }
    expect(counted, `references of object ${index}, of which ${held} are held`).toBeGreaterThanOrEqual(held);
    expect(counted, `references of object ${index}, of which ${held} are held`).toBeLessThanOrEqual(held + 2);
  }
}

function lockedWords({ i32, layout, shape }: SharedMemory): number[] {
  const words = [GLOBAL_LOCK, SCHED_LOCK, FN_LOCK, CONTEXT_LOCK, layout.slab + SLAB_LOCK];
  for (let p = 0; p < shape.procs; p++) words.push(layout.processors + p * P_WORDS + P_TIMER_LOCK);
  for (let kind = 0; kind < POOL_KINDS; kind++) words.push(layout.pools + kind * POOL_WORDS + POOL_LOCK);
  for (let o = 1; o <= shape.maxObjects; o++) words.push(layout.objects + o * O_WORDS + O_LOCK);
  return words.filter((word) => i32[word] !== 0);
}
