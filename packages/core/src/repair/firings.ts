/**
 * Finishes what a thread was doing with a timer when it died: of `afterFunc`, `after` or a ticker. See scheduler/thread/firing-note.ts for what it has noted.
 *
 * Two of the steps can only be decided while nobody else can have changed what tells of them, that is, when the host takes the lock from the dead under which they were made: whether the timer was taken out of its heap
 * (`Timers.settleTaking`), and whether its channel has been sent to (`settleSend`). The rest is done at once after that, since the note says all: nobody need be held for it.
 *
 * What may be lost in the one instruction between the end of a note and the giving back of what it stood for is the record of an `afterFunc`, or a reference to a ticker's channel: they stay in use.
 */

import { NO_VALUE, RECEIVED } from "../channel/channel-port.ts";
import { C_BUFFER, C_CAPACITY, T_KIND, W_RESULT } from "../memory/layout.ts";
import { FiringNote, SENT, TAKEN } from "../scheduler/thread/firing-note.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { TIMER_SEND, timerKind } from "../scheduler/thread/timers.ts";

/** The dead thread held the lock of the channel whose record is at `base`, which is as it left it: if that was to send a tick, whether it has done so. */
export function settleSend(host: Thread, dead: number, base: number): void {
  const note = new FiringNote(host.memory, dead);
  if (note.stage !== TAKEN || kindOf(host, note) !== TIMER_SEND) return;
  if (objectsOf(host).baseOf(note.target) === base && hasSent(host, base, note.receiver)) note.sent();
}

/**
 * A receiver has been served once its W_RESULT says so. Whoever waits for nothing but the lock has not touched that since, nor has the receiver itself, whom nobody has made ready. Without one the value is in the buffer as soon as its place says so;
 * if it is that of an earlier tick, this one is dropped, and nothing is left to do either.
 */
function hasSent({ i32, memory }: Thread, base: number, receiver: number): boolean {
  if (receiver !== 0) return (i32[receiver + W_RESULT] & RECEIVED) !== 0;
  return memory.u8[(i32[base + C_BUFFER] + 2 * i32[base + C_CAPACITY]) * 4] !== NO_VALUE;
}

/** Does what is left of the firing that a dead thread had in hand, if it had one. Its locks must have been taken from it, and it must stand in no queue. */
export function finishFiring(host: Thread, dead: number): void {
  const note = new FiringNote(host.memory, dead);
  const { timer, target, arming, stage } = note;
  note.end();
  if (stage !== TAKEN && stage !== SENT) return;
  timerKind(kindOf(host, { timer }))?.finish?.(host, { timer, target, arming }, stage === SENT);
}

function kindOf({ i32, timers }: Thread, { timer }: { readonly timer: number }): number {
  return i32[timers.baseOf(timer) + T_KIND];
}
