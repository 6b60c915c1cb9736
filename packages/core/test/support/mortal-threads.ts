/** Threads that use one part of the kernel, without a run loop, and one of which may die at any step. Then the host takes its locks from it (repair/locks), while the others go on. */

import { type ExploreResult, explore, type ModelMemory } from "@heddle/testkit";
import { releaseIfHeldBy } from "../../src/memory/thread-lock.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import { Machine } from "../../src/scheduler/machine/machine.ts";
import type { HostThread } from "../../src/scheduler/thread/host.ts";
import { withModelGlobals } from "./model-globals.ts";
import { modelPlatform } from "./model-machine.ts";
import type { ModelShape } from "./model-memory.ts";
import { hostOf, newWorld, partsOf, VICTIM, type World, wordNames, wordsOf } from "./mortal-world.ts";

/** What a thread does; what it returns is for the check. */
export type Use = (thread: Machine, world: World) => readonly number[];

export interface UseScene {
  readonly setup?: (host: HostThread, world: World) => void;
  /** The first one dies. */
  readonly threads: readonly Use[];
  /** In the place of what the host does. */
  readonly repair?: (host: HostThread) => void;
  /** Throws if something is wrong; also if nobody died. `results` are what the threads returned, nothing for the dead. */
  readonly check: (host: HostThread, results: readonly (readonly number[])[], world: World) => void;
  readonly preemptions?: number;
  /** Default `SHAPE`. */
  readonly shape?: ModelShape;
}

/** Room for two runs of the slab's largest class. */
export const SHAPE: ModelShape = { procs: 2, maxMachines: 3, slabBytes: 2 ** 19 };

/** A repair that takes the dead thread's locks from it and puts nothing right: to be planted as `take` of DeadLocks. */
export function onlyReleases(this: { i32: Int32Array; dead: number }, word: number): void {
  releaseIfHeldBy(this.i32, word, this.dead);
}

/** What the host does with the locks and caches of a dead thread. */
export function takeLocks(host: HostThread): void {
  const locks = new DeadLocks(host, VICTIM);
  host.readyAll(locks.release());
  locks.recountCaches([]);
}

export function exploreUse(scene: UseScene): ExploreResult {
  const { setup = () => {}, repair = takeLocks, preemptions = 1, shape = SHAPE } = scene;
  return explore<(readonly number[])[], World>({
    words: wordsOf(shape),
    setup: (memory: ModelMemory) =>
      withModelGlobals(() => {
        const world = newWorld(memory, shape);
        setup(hostOf(world, true), world);
        return world;
      }),
    threads: scene.threads.map(
      (use, at) => (_memory: ModelMemory, world: World) =>
        withModelGlobals(() => use(new Machine(partsOf(world, at + VICTIM), modelPlatform()), world)),
    ),
    kill: {
      thread: 0,
      withinSteps: true,
      interruptsRepair: false,
      repair: (_memory, world) => withModelGlobals(() => repair(hostOf(world, false))),
    },
    check: (_memory, results, world) =>
      withModelGlobals(() =>
        scene.check(
          hostOf(world, false),
          results.map((result) => result ?? []),
          world,
        ),
      ),
    name: wordNames(shape),
    maxAccesses: 100_000,
    timeouts: 0,
    preemptions,
  });
}
