/** Looks at, and cancels, what is parked on a machine. */

import { WAITING } from "../../src/goroutine/status.ts";
import { waitReasonName } from "../../src/goroutine/wait-reason.ts";
import { G_STATUS, G_WAIT_REASON } from "../../src/memory/layout.ts";
import type { Frame } from "../../src/scheduler/frames/frame.ts";
import type { SingleMachine } from "../support/single-machine.ts";

function parked({ machine }: SingleMachine): Frame[] {
  const found: Frame[] = [];
  machine.frames.forEach((frame) => {
    if (frame.operation !== undefined && machine.i32[frame.base + G_STATUS] === WAITING) found.push(frame);
  });
  return found;
}

/** Why goroutines are parked, in Go's words. */
export function reasons(runtime: SingleMachine): string[] {
  return parked(runtime).map(({ base }) => waitReasonName(runtime.machine.i32[base + G_WAIT_REASON]));
}

/** Cancels the first goroutine that is parked for this reason, as its machine does. False if its wake-up is under way. */
export function interrupt(runtime: SingleMachine, reason: string, error: Error): boolean {
  const { machine } = runtime;
  const frame = parked(runtime).find(
    ({ base }) => waitReasonName(machine.i32[base + G_WAIT_REASON]) === reason,
  );
  if (frame === undefined) throw new Error(`nobody is parked in ${reason}`);
  if (!frame.operation?.abandon(frame)) return false;
  frame.interrupt = error;
  machine.ready(frame.goroutine);
  return true;
}
