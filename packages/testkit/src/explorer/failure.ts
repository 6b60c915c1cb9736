/** What an exploration can find. */

/**
 * - `thread`: a thread function threw;
 * - `check`, `invariant`: the model's own predicate threw;
 * - `deadlock`: no thread can go on, though not all are done;
 * - `livelock`: the threads that are left spin or nap without changing anything;
 * - `endless`: a thread made more accesses than `maxAccesses`.
 */
export type FailureKind = "thread" | "check" | "invariant" | "deadlock" | "livelock" | "endless";

/** A failure as it was met, before it is told with schedule and trace. */
export interface FoundFailure {
  readonly kind: FailureKind;
  readonly message: string;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

export function thrownFailure(kind: FailureKind, where: string, error: unknown): FoundFailure {
  const text = error instanceof Error ? error.message : String(error);
  return { kind, message: `${where}: ${text}`, error };
}
