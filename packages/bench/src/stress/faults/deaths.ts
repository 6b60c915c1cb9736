/** Ways in which threads come to their end. */

import { type Chan, chan, type Goroutine, goroutine, type Handle, sleep, spawn } from "heddle";
import { killMachine, killSysmon } from "heddle/testing";
import { BrokenInvariant, expectSame } from "../scenario.ts";
import { type Fate, noteBegun, noteEnded, noteMade } from "./accounts.ts";
import { home } from "./home.ts";
import type { Load } from "./load.ts";

/** Longer than anything lasts here. */
const FOR_EVER_MS = 3_600_000;

const exits = goroutine(home, function* exits(marks: Int32Array, own: number): Goroutine<void> {
  noteBegun(marks, own);
  if (own % 2 === 0) yield* sleep(0.2);
  process.exit(3);
});

/** Throws from a timer of its thread, in nobody's name. */
const throwsAstray = goroutine(home, function* throwsAstray(marks: Int32Array, own: number): Goroutine<void> {
  noteBegun(marks, own);
  setTimeout(() => {
    throw new Error("stray");
  });
  yield* sleep(FOR_EVER_MS);
});

const rejectsUnseen = goroutine(
  home,
  async function rejectsUnseen(marks: Int32Array, own: number): Promise<void> {
    noteBegun(marks, own);
    void Promise.reject(new Error("unseen"));
    await sleep(FOR_EVER_MS);
  },
);

const hoards = goroutine(home, function hoards(marks: Int32Array, own: number): void {
  noteBegun(marks, own);
  const hoard: unknown[] = [];
  for (;;) hoard.push(Array.from({ length: 1000 }, () => hoard.length));
});

/** Neither ends nor gives way when it is told to. */
const outlasts = goroutine(home, function outlasts(marks: Int32Array, own: number): void {
  noteBegun(marks, own);
  for (;;);
});

const counted = goroutine(home, function counted(marks: Int32Array, own: number): number {
  noteBegun(marks, own);
  noteEnded(marks, own);
  return own;
});

/** Children that are started and have not begun when their thread ends. */
const CHILDREN = 60;

/** Fills its processor's queue, hands the handles over, and ends the thread. The children's places come after its own. */
const abandons = goroutine(
  home,
  function abandons(marks: Int32Array, own: number, handed: Chan<Handle<number>[]>): void {
    noteBegun(marks, own);
    const children: Handle<number>[] = [];
    for (let place = own + 1; place <= own + CHILDREN; place++) {
      children.push(spawn(counted, marks, place));
      noteMade(marks, place);
    }
    handed.trySend(children);
    process.exit(3);
  },
);

/**
 * So that a thread that hoards ends soon. Few megabytes for what is young: all of it can become old at once, and Node, which has 16 MB to spare for the end of a thread without memory, ends the process when these do not do.
 */
export const HEAP_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 } as const;

/** Between two deaths of sysmon at least so many others: it must get as far as to take part in between. */
const OTHERS_BETWEEN = 8;

/** Ends threads, one at a time, and counts them. */
export class Deaths {
  count = 0;
  private readonly load: Load;
  private sysmonAt = 0;

  constructor(load: Load) {
    this.load = load;
  }

  /** Ends a thread in one way or another. */
  async one(): Promise<void> {
    const { random } = this.load.stage;
    const way = random.below(100);
    if (way < 75) this.killOne();
    else if (way < 80) this.killSysmon();
    else if (way < 86) await this.abandon();
    else if (way < 97) await this.endFromInside(random.pick([exits, exits, throwsAstray, rejectsUnseen]));
    else if (way < 99) await this.endByLimit();
    else await this.endFromInside(hoards);
  }

  private died(): void {
    this.count++;
    this.load.stage.killed();
  }

  private killOne(): void {
    const { runtime, random } = this.load.stage;
    const { maxMachines } = runtime.stats();
    const machines = random.shuffled(Array.from({ length: maxMachines }, (_, i) => i + 1));
    if (machines.some((machine) => killMachine(runtime, machine))) this.died();
  }

  private killSysmon(): void {
    if (this.count - this.sysmonAt < OTHERS_BETWEEN) return;
    killSysmon(this.load.stage.runtime);
    this.died();
    this.sysmonAt = this.count;
  }

  private async endFromInside(body: typeof exits | typeof hoards | typeof rejectsUnseen): Promise<void> {
    const { stage, accounts } = this.load;
    const own = accounts.take(1);
    const fate = await accounts.follow(
      own,
      stage.runtime.run<[Int32Array, number], void>(body, accounts.marks, own),
    );
    expectSame("fate of a goroutine that ends its thread", fate, "lost");
    this.died();
  }

  private async endByLimit(): Promise<void> {
    const { stage, accounts } = this.load;
    const own = accounts.take(1);
    const limits = { timeout: 2, killAfter: 2 };
    const handle = stage.runtime.spawnWith(limits, outlasts, accounts.marks, own);
    expectSame("fate of a goroutine that will not end", await accounts.follow(own, handle), "lost");
    this.died();
  }

  private async abandon(): Promise<void> {
    const { stage, accounts } = this.load;
    const own = accounts.take(1 + CHILDREN);
    const handed = stage.runtime.enter(() => chan<Handle<number>[]>(1));
    const lost = await accounts.follow(own, stage.runtime.run(abandons, accounts.marks, own, handed));
    expectSame("fate of a goroutine that ends its thread", lost, "lost");
    this.died();
    // Nothing if it was ended from outside before it got there.
    const [children = []] = handed.tryRecv() ?? [];
    const fates = await Promise.all(children.map((child, i) => this.followChild(own + 1 + i, child)));
    if (fates.includes("cancelled")) throw new BrokenInvariant("a child was cancelled, and nobody did so");
  }

  private followChild(place: number, child: Handle<number>): Promise<Fate> {
    return this.load.accounts.followMade(place, child, (result) =>
      expectSame("a child's result", result, place),
    );
  }
}
