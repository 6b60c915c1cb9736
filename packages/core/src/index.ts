/** Everything that the packages above need of core. The public part is chosen by @heddle/workers. */

export * from "./base/errors.ts";
export { printsAs } from "./base/printing.ts";
export { messageOf, show } from "./base/show.ts";
export { chan } from "./channel/channel.ts";
export { range } from "./channel/range.ts";
export { select, trySelect } from "./channel/select.ts";
export type {
  Chan,
  ChanOp,
  RangeBody,
  Received,
  RecvChan,
  SelectCase,
  Selected,
  SendChan,
} from "./channel/types.ts";
export { chaosSeed, makeMachine } from "./chaos/chaotic-machine.ts";
export { Decisions } from "./chaos/decisions.ts";
export { slowDownAtomics } from "./chaos/slow-atomics.ts";
export { cancelAll } from "./context/cancel.ts";
export { type CancelFunc, type Context, context } from "./context/context.ts";
export { ErrGroup } from "./context/err-group.ts";
export { registerKinds } from "./context/kinds.ts";
export { type SpawnOptions, spawnOn, spawnWith } from "./context/spawn-with.ts";
export { type Condemned, takeCondemned } from "./context/time-limits.ts";
export type { ModuleMeta } from "./goroutine/functions.ts";
export { auditMemory, type MemoryAudit } from "./inspect/audit.ts";
export { askForEvents, findDeadlock, movements } from "./inspect/deadlock.ts";
export {
  describeGoroutine,
  formatGoroutine,
  formatGoroutines,
  type GoroutineInfo,
  listGoroutines,
} from "./inspect/goroutines.ts";
export { formatScheduler } from "./inspect/scheduler-state.ts";
export { type RuntimeStats, readStats } from "./inspect/stats.ts";
export { corruption, setAlarm } from "./memory/alarm.ts";
export { CHAOS_OFF, RING_PLACES } from "./memory/layout.ts";
export { type MemoryOptions, SharedMemory } from "./memory/shared-memory.ts";
export { forgetLocks, hasLocks, setDoubt } from "./memory/thread-lock.ts";
export type { Loss, LossEvents } from "./repair/lost-goroutines.ts";
export { Repair } from "./repair/repair.ts";
export { blocking } from "./scheduler/api/blocking-call.ts";
export { defer, goexit, recover } from "./scheduler/api/defer.ts";
export {
  go,
  goroutine,
  numGoroutine,
  spawn,
  tasks,
} from "./scheduler/api/goroutine-api.ts";
export { checkpoint, gosched, shouldYield } from "./scheduler/api/yielding.ts";
export type { Frame } from "./scheduler/frames/frame.ts";
export type { Suspension } from "./scheduler/frames/suspension.ts";
export type { GoFunction, Goroutine, Handle, Op } from "./scheduler/frames/types.ts";
export { liveGoroutines } from "./scheduler/idle/counters.ts";
export { wakeAll } from "./scheduler/idle/idle-coordinator.ts";
export { LIFE_LOST, LIFE_NONE, machineRecord } from "./scheduler/idle/machine-life.ts";
export { EventLoopSleeper, NAPPING, wake } from "./scheduler/idle/parker.ts";
export { SpinPatience } from "./scheduler/idle/spin-patience.ts";
export { Machine } from "./scheduler/machine/machine.ts";
export type { MachinePlatform } from "./scheduler/machine/machine-thread.ts";
export { Monitor } from "./scheduler/machine/monitor.ts";
export {
  LEAVE_CLOSED,
  LEAVE_EVENTS,
  LEAVE_MICROTASKS,
  LEAVE_TURN,
} from "./scheduler/machine/processor-holding.ts";
export type { DeferredCall } from "./scheduler/machine/unwinding.ts";
export { becomeMachine, isMachine, setHostResolver } from "./scheduler/thread/ambient.ts";
export { type Holdings, holdingsIn, reserveHoldings } from "./scheduler/thread/holdings.ts";
export { closedError, type HostPlatform, HostThread } from "./scheduler/thread/host.ts";
export { buffersWereSent, type SharedBuffers, sharedBuffersOf } from "./scheduler/thread/shared-buffers.ts";
export { SysmonThread, sysmonNumber } from "./scheduler/thread/sysmon-thread.ts";
export type { Thread } from "./scheduler/thread/thread.ts";
export { type ThreadSetup, threadParts } from "./scheduler/thread/thread-parts.ts";
export { setGarbageCollector } from "./scheduler/thread/watch-list.ts";
export { AtomicInt } from "./sync/atomic-int.ts";
export { Barrier } from "./sync/barrier.ts";
export { Cond } from "./sync/cond.ts";
export { Mutex } from "./sync/mutex.ts";
export { Once } from "./sync/once.ts";
export { RWMutex } from "./sync/rw-mutex.ts";
export { Semaphore } from "./sync/semaphore.ts";
export { WaitGroup } from "./sync/wait-group.ts";
export { afterFunc, type Timer } from "./time/after-func.ts";
export { sleep } from "./time/sleep.ts";
export { after, Ticker } from "./time/ticker.ts";
export { type BytesPort, copyOfBytes } from "./values/bytes.ts";
export { neverCopied } from "./values/classify.ts";
export type { BufferMail, BufferParcel } from "./values/shared-buffers.ts";
export { loopText, type TextPort, type TextView } from "./values/text.ts";
