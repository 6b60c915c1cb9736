/** Ends threads in one way or another. On the host: threads need not load this. */

import { chan, type Handle } from "heddle";
import { killMachine, killSysmon } from "heddle/testing";
import { BrokenInvariant, expectSame } from "../scenario.ts";
import type { Fate } from "./accounts.ts";
import { abandons, CHILDREN, exits, hoards, outlasts, rejectsUnseen, throwsAstray } from "./fatal.ts";
import type { Load } from "./load.ts";

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
