/** What tests of Heddle stand on: the interleaving explorer, a checker of histories, a clock and random numbers under control, counts of atomic operations. */

export {
  type AtomicsCounts,
  type CountedOperation,
  countAtomics,
} from "./counting-atomics.ts";
export { explore } from "./explorer/explore.ts";
export { ExplorerError } from "./explorer/explorer-error.ts";
export type { FailureKind } from "./explorer/failure.ts";
export type { ModelMemory } from "./explorer/intercept.ts";
export type { ExecutionEnd, ExploreOptions, KillOptions, ThreadFunction } from "./explorer/options.ts";
export {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  type Failure,
  formatFailure,
} from "./explorer/result.ts";
export type { TraceEntry } from "./explorer/trace.ts";
export { FakeClock, fakeClock } from "./fake-clock.ts";
export {
  checkLinearizable,
  formatHistory,
  type LinearizabilityResult,
  type RecordedOperation,
  type SequentialModel,
} from "./linearizability.ts";
export { SeededRandom, seeded } from "./seeded.ts";
