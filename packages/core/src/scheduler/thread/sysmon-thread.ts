/**
 * sysmon as a thread of the runtime: it runs no goroutines and waits for nothing but its own word, but it makes goroutines ready, starts
 * them and sends on channels when it runs timers.
 */

import type { SharedMemory } from "../../memory/shared-memory.ts";
import type { Frame } from "../frames/frame.ts";
import { OutsideThread } from "./outside-thread.ts";
import { notInGoroutine } from "./thread.ts";

/** The number of sysmon's thread: behind the machines. */
export function sysmonNumber(memory: SharedMemory): number {
  return memory.shape.maxMachines + 1;
}

export class SysmonThread extends OutsideThread {
  enqueueNew(goroutine: number): void {
    this.globalQueue.push(goroutine);
    this.idle.wakeOneIfIdle();
  }

  protected readyHere(goroutine: number): void {
    throw new Error(`readyHere: goroutine ${goroutine} is said to live on sysmon's thread, where none can`);
  }

  parkCurrent(): Frame {
    throw notInGoroutine("yield*");
  }

  protected promiseStarted(): void {
    throw notInGoroutine("await");
  }

  protected promiseSettled(): void {}
}
