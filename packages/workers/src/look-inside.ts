/** What a runtime holds and does, for tests and for whoever wonders why nothing moves. */

import { auditMemory, formatGoroutines, formatScheduler, type MemoryAudit } from "@heddle/core";
import { hostOf, isQuietInside, killMachineOf, killSysmonOf } from "./runtime.ts";
import type { Runtime } from "./runtime-types.ts";

/**
 * Everything a hang can be told by: scheduler, processors and machines in a line each, then every goroutine as Go prints it. Reads shared memory alone, so it works while machines
 * are stuck.
 */
export function dump(runtime: Runtime): string {
  return `${formatScheduler(hostOf(runtime))}\n\n${formatGoroutines(runtime.goroutines())}`;
}

/**
 * What of the runtime's memory is in use, and whether its free lists are in order. Exact only when no goroutine is left and all machines sleep.
 *
 * @example
 * ```ts
 * await leakCheck(rt);
 * expect(audit(rt).problems).toEqual([]);
 * ```
 */
export function audit(runtime: Runtime): MemoryAudit {
  return auditMemory(hostOf(runtime));
}

/** Whether no processor is held, and nothing that a dead thread left is still to be put right: with no goroutine left, the moment for `audit`. */
export function isQuiet(runtime: Runtime): boolean {
  return isQuietInside(runtime);
}

/**
 * Ends the thread of a machine (they are numbered from 1) wherever it is just then, as a crash would: for tests of what a program does then. False if that machine has no thread.
 *
 * @example
 * ```ts
 * const work = rt.run(job);
 * killMachine(rt, 1);
 * await expect(work).rejects.toThrow(MachineLostError); // if it ran there
 * ```
 */
export function killMachine(runtime: Runtime, machine: number): boolean {
  return killMachineOf(runtime, machine);
}

/** Ends the thread of sysmon, which looks after timers, time slices and processors, as a crash would. Another takes its place. */
export function killSysmon(runtime: Runtime): void {
  killSysmonOf(runtime);
}
