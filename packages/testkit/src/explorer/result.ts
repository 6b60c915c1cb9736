/** What an exploration found, and assertions on it. */

import type { FailureKind } from "./failure.ts";
import { formatTrace, type TraceEntry } from "./trace.ts";

/** A failing execution. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /** Give it to `explore` as `schedule` to run this execution again. */
  readonly schedule: string;
  /** All that happened in it. */
  readonly trace: readonly TraceEntry[];
  /** What was thrown, if anything was. */
  readonly error?: unknown;
}

/** What an exploration did and found. */
export interface ExploreResult {
  /** Executions that ran to their end. */
  readonly executions: number;
  /** Executions given up because they came to a state that had been explored. */
  readonly pruned: number;
  /** Steps carried out in all of them. */
  readonly steps: number;
  /** Whether every schedule within the bounds was covered. Never true of random runs or after a failure. */
  readonly exhausted: boolean;
  /** Whether the exploration stopped at `maxExecutions` though that was not accepted. */
  readonly limited: boolean;
  readonly failure?: Failure;
  /** Seed of random runs. */
  readonly seed?: number;
}

/** The result, if nothing was found; otherwise throws an Error that shows the failure with schedule and trace. */
export function expectNoFailure(result: ExploreResult): ExploreResult {
  const { failure, seed, executions } = result;
  if (failure !== undefined) throw new Error(formatFailure(failure, seed), { cause: failure.error });
  if (!result.limited) return result;
  throw new Error(
    `explored ${executions} executions without a failure, but not all there are: ` +
      'raise maxExecutions, lower preemptions, make the model smaller, or say onLimit: "accept"',
  );
}

/** The failure, which must be there and whose message must match. Throws an Error otherwise. */
export function expectFailure(result: ExploreResult, message: RegExp = /(?:)/): Failure {
  const { failure } = result;
  if (failure === undefined) throw new Error(`expected a failure; ${result.executions} executions had none`);
  if (message.test(failure.message)) return failure;
  throw new Error(`expected a failure like ${message}; got: ${formatFailure(failure, result.seed)}`);
}

/** A failure as text: message, schedule, trace. */
export function formatFailure(failure: Failure, seed?: number): string {
  const { message, schedule, trace } = failure;
  const seedLine = seed === undefined ? "" : `seed: ${seed}\n`;
  return `${message}\n${seedLine}schedule: "${schedule}"\n${formatTrace(trace)}`;
}
