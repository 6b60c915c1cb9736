/** Why a goroutine waits, in Go's words, as dumps and deadlock reports print it. */

export const WAIT_REASONS = [
  "",
  "chan receive",
  "chan send",
  "select",
  "select (no cases)",
  "sleep",
  "sync.Mutex.Lock",
  "sync.RWMutex.RLock",
  "sync.RWMutex.Lock",
  "sync.WaitGroup.Wait",
  "sync.Cond.Wait",
  "semacquire",
  "sync.Barrier.Wait",
  "join",
  "await",
  "IO wait",
  "errgroup",
  "sync.Once.Do",
  "join",
] as const;

/** A place in `WAIT_REASONS`; 0 for a synchronous call, of which Go says no more than "syscall". */
export type WaitReason = number;

export const REASON_CHAN_RECEIVE = 1;
export const REASON_CHAN_SEND = 2;
export const REASON_SELECT = 3;
export const REASON_SELECT_NO_CASES = 4;
export const REASON_SLEEP = 5;
export const REASON_MUTEX_LOCK = 6;
export const REASON_RWMUTEX_RLOCK = 7;
export const REASON_RWMUTEX_LOCK = 8;
export const REASON_WAITGROUP_WAIT = 9;
export const REASON_COND_WAIT = 10;
export const REASON_SEMACQUIRE = 11;
export const REASON_BARRIER_WAIT = 12;
/** Waiting for a handle. Go has no such thing; the word is ours. */
export const REASON_JOIN = 13;
/** An async body that awaits a promise of its own. */
export const REASON_AWAIT = 14;
export const REASON_IO_WAIT = 15;
export const REASON_ERRGROUP = 16;
export const REASON_ONCE = 17;
/** Below the one it joins, on the stack: nobody will make it ready. */
export const REASON_JOIN_BELOW = 18;

/** The words for a reason. */
export function waitReasonName(reason: WaitReason): string {
  return WAIT_REASONS[reason] ?? `unknown(${reason})`;
}
