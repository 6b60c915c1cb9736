/**
 * A machine that schedules at random: chaos mode.
 *
 * The scheduler's habits hide bugs, in it and in programs: the goroutine made last nearly always runs next, thieves find rings long, wake-ups come at once. A chaotic machine breaks the habits and none of
 * the rules: every choice it makes is one that an ordinary machine could have been led to by another timing. What is promised holds under it, then, and what goes wrong under it is a bug.
 *
 * - The goroutine made ready or created last loses its precedence, the turns between the lists are drawn by lot, and a goroutine whose turn has come is sometimes put back in favour of another.
 * - A goroutine is asked to give way at any checkpoint, and gives way before operations. One that joins another calls it, or parks.
 * - Thieves take any number (chaotic-stealer.ts); machines go to sleep without a search, wait before they wake others, and wake some for nothing.
 * - Atomic steps are slow now and then (slow-atomics.ts).
 *
 * Which class a machine is of is decided once, when its thread starts, so ordinary machines pay nothing.
 */

import { ReceiveOperation, SendOperation } from "../channel/operations.ts";
import { CHAOS_OFF, G_CANCELED, G_MACHINE, G_WORDS, H_CHAOS_SEED, P_WORDS } from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import { FRAME_GENERATOR } from "../scheduler/frames/frame.ts";
import { PARKED } from "../scheduler/frames/suspension.ts";
import { Machine } from "../scheduler/machine/machine.ts";
import type { MachinePlatform } from "../scheduler/machine/machine-thread.ts";
import { FRESH, Operation } from "../scheduler/thread/operation.ts";
import type { ThreadParts } from "../scheduler/thread/thread.ts";
import { ChaoticStealer } from "./chaotic-stealer.ts";
import { Decisions } from "./decisions.ts";
import { slowDownAtomics } from "./slow-atomics.ts";

/** Makes the machine of this thread: an ordinary one, or a chaotic one if the runtime was started so. */
export function makeMachine(parts: ThreadParts, platform: MachinePlatform): Machine {
  const seed = chaosSeed(parts.memory);
  if (seed === CHAOS_OFF) return new Machine(parts, platform);
  slowDownAtomics(new Decisions(seed, parts.number + parts.memory.shape.maxMachines));
  const machine = new ChaoticMachine(parts, platform, new Decisions(seed, parts.number));
  yieldBeforeOperations(machine);
  return machine;
}

/** The seed of chaos mode, CHAOS_OFF for none. */
export function chaosSeed({ i32 }: SharedMemory): number {
  return i32[H_CHAOS_SEED];
}

export class ChaoticMachine extends Machine {
  private readonly decisions: Decisions;

  constructor(parts: ThreadParts, platform: MachinePlatform, decisions: Decisions) {
    super(parts, platform);
    this.decisions = decisions;
    const { i32, memory } = this;
    for (let p = 0; p < this.procs; p++)
      this.stealers[p] = new ChaoticStealer(i32, memory.layout.processors + p * P_WORDS, decisions);
  }

  protected override pick(): number {
    const { decisions } = this;
    if (decisions.oneIn(8)) this.endSharedSlice();
    if (decisions.oneIn(8)) this.untilGlobal = 1;
    if (decisions.oneIn(4)) this.turn = decisions.below(8);
    const goroutine = super.pick();
    if (goroutine === 0 || !decisions.oneIn(8)) return goroutine;
    this.putBack(goroutine);
    return super.pick();
  }

  /** Behind the others of its kind. One that has never run may be stolen from there, like any other. */
  private putBack(goroutine: number): void {
    if (this.i32[this.descriptors + goroutine * G_WORDS + G_MACHINE] === 0) this.queue.push(goroutine);
    else this.yielded.push(goroutine);
  }

  protected override search(): number {
    // As when enough others search already.
    return this.decisions.oneIn(4) ? this.goIdle() : super.search();
  }

  protected override goIdle(): number {
    this.decisions.pause(8);
    return super.goIdle();
  }

  protected override readyHere(goroutine: number, base: number): void {
    super.readyHere(goroutine, base);
    if (this.next === 0 || !this.decisions.oneIn(4)) return;
    this.local.push(this.next);
    this.next = 0;
  }

  override ready(goroutine: number): void {
    this.decisions.pause(64);
    super.ready(goroutine);
  }

  override enqueueNew(goroutine: number): void {
    const { decisions } = this;
    decisions.pause(64);
    if (this.processor < 0 || !decisions.oneIn(3)) super.enqueueNew(goroutine);
    else this.enqueueElsewhere(goroutine);
    if (decisions.oneIn(16)) this.idle.wakeOneIfIdle();
  }

  /** Where it would stand had others been made after it: in the ring, or spilled from a full one. */
  private enqueueElsewhere(goroutine: number): void {
    if (this.decisions.oneIn(2)) this.queue.push(goroutine);
    else this.globalQueue.push(goroutine);
    this.decisions.pause(16);
    this.idle.wakeOneIfIdle();
  }

  override runAwaited(goroutine: number, base: number): boolean {
    return this.decisions.oneIn(2) && super.runAwaited(goroutine, base);
  }

  override shouldYield(): boolean {
    return this.decisions.oneIn(8) || super.shouldYield();
  }

  /** Makes the running generator give way before an operation, if it is so decided: true if its machine is to go on with another. */
  yieldsFirst(): boolean {
    const { frame } = this;
    if (frame?.kind !== FRAME_GENERATOR || frame.exiting || frame.unwinding !== undefined) return false;
    // It is back from giving way, and does now what it came for.
    if (this.takeYielded()) return false;
    if (this.i32[frame.base + G_CANCELED] !== 0 || !this.decisions.oneIn(16)) return false;
    this.yieldCurrent();
    return true;
  }
}

interface Stepped {
  next: (this: Operation<unknown>) => IteratorResult<unknown, unknown>;
}

/** Puts the question before the first step of every operation of this thread. Those that override `next` for speed are asked twice when they have to wait. */
function yieldBeforeOperations(machine: ChaoticMachine): void {
  for (const { prototype } of [Operation, ReceiveOperation, SendOperation]) {
    const stepped = prototype as unknown as Stepped;
    const next: Stepped["next"] = stepped.next;
    stepped.next = function (this: Operation<unknown>) {
      const isFirst = (this as unknown as { state: number }).state === FRESH;
      if (isFirst && machine.yieldsFirst()) return PARKED;
      return next.call(this);
    };
  }
}
