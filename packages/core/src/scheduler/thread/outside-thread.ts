/** A thread that runs no goroutines: the host, and sysmon. Nothing on it is cancelled, and it cannot be held. */

import type { Waitable } from "../frames/frame.ts";
import { PromisingThread } from "./promises.ts";
import { notInGoroutine } from "./thread.ts";

export abstract class OutsideThread extends PromisingThread {
  currentContext(): number {
    return 0;
  }

  currentFrame(): undefined {
    return undefined;
  }

  takeCancellation(): undefined {
    return undefined;
  }

  takeInterrupt(): undefined {
    return undefined;
  }

  override checkMayBlock(): void {
    throw notInGoroutine("block()");
  }

  blockOn(_operation: Waitable<unknown>): undefined {
    throw notInGoroutine("block()");
  }
}
