/**
 * The public surface that programs and tests may count on, as `import … from "heddle"`.
 *
 * Names, shapes and meanings here are fixed. The package may export more, never less; a signature may
 * become more precise as long as every program that type-checks against this file still does.
 * Meanings follow Go where Go has the thing; where they differ, the comment says so.
 */

// ───────────────────────────── goroutine bodies ─────────────────────────────

/** What a body hands to the scheduler when it parks. Opaque. */
export interface Suspension {
  readonly __heddleSuspension: never;
}

/** Return type of a generator body: `function* fib(n: number): Goroutine<number>`. */
export type Goroutine<R> = Generator<Suspension, R, unknown>;

/**
 * Something that may park the goroutine. Lazy: nothing happens until it is used, once, in one of three ways:
 * `yield* op` in a generator body, `await op` in an async body or on the host thread, `op.block()` in a plain body.
 * `block()` holds the machine's thread; the processor is handed to another machine meanwhile. On the host thread
 * `block()` throws.
 *
 * The functions and classes below that need a runtime use the ambient one: inside a goroutine its own; on the host thread the
 * one being `enter`ed, else the only open one, else `NoRuntimeError`.
 */
export interface Op<T> extends PromiseLike<T> {
  [Symbol.iterator](): Iterator<Suspension, T, unknown>;
  block(): T;
}

/** A goroutine body: a generator function, an async function, or a plain function that runs to completion. */
export type GoFunction<A extends unknown[], R> = (...args: A) => Goroutine<R> | Promise<R> | R;

/**
 * Declares a body at the top level of a module, so that any machine can find it again as module URL + name,
 * and returns the same function: `yield* fib(3)` runs it inline; `go`, `spawn` and `run` start it.
 * The name is the function's own unless given. A second body of one name in a module is an error.
 */
export function goroutine<F extends GoFunction<any[], any>>(module: ImportMeta, body: F, name?: string): F;

/**
 * The exported functions of any module, as bodies for `go`, `spawn` and `run`, with no change to that module.
 * They are references: calling one directly throws `FunctionError`.
 */
export function tasks<M extends object>(
  module: URL | string,
): { readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] };

// ───────────────────────────── starting goroutines ─────────────────────────────

/** Go's `go` statement. An error that leaves the body unrecovered ends the runtime, as a panic ends a Go process. */
export function go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void;

/** Like `go`, with a result: what the body returns or throws goes to whoever joins the handle. */
export function spawn<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Handle<R>;

export interface SpawnOptions {
  /** Shown in dumps and traces instead of the function's name. */
  name?: string;
  /** The goroutine's own context; default: the spawner's. */
  context?: Context;
  /** Cancels the goroutine's context when it aborts. */
  signal?: AbortSignal;
}
export function spawnWith<A extends unknown[], R>(
  options: SpawnOptions,
  fn: GoFunction<A, R>,
  ...args: A
): Handle<R>;

/** A goroutine's outcome. Unlike other ops it may be used any number of times, by anyone it was sent to, with the same outcome. */
export interface Handle<R> extends Op<R> {
  readonly id: number;
  readonly done: boolean;
  /**
   * Cancels the goroutine's context. Not yet started: it never starts, and joining throws `CanceledError`.
   * Parked: its operation throws `CanceledError` there, and `finally` blocks and deferred calls run.
   */
  cancel(cause?: unknown): void;
}

// ───────────────────────────── inside a goroutine ─────────────────────────────

/** Back of the global queue, as runtime.Gosched. */
export function gosched(): Op<void>;
/** Parks only if sysmon has asked this processor to be given up (10 ms slice). Cheap enough for inner loops. */
export function checkpoint(): Op<void>;
/** The flag that `checkpoint` looks at. In a plain body, a hint that returning soon would be kind. */
export function shouldYield(): boolean;
/** Ends this goroutine from any depth, running deferred calls; `recover` does not stop it. */
export function goexit(): never;
/** Registers a call for this goroutine's end: last in, first out; on return, throw and `goexit` alike. */
export function defer(call: () => void | Promise<void> | Goroutine<void>): void;
/** In a deferred call: the error that is ending this goroutine, and stops it; otherwise `undefined`. */
export function recover(): unknown;
/** Live goroutines of the ambient runtime, the dead and the runtime's own not counted. Inside the first `run` it is 1. */
export function numGoroutine(): number;

// ───────────────────────────── channels ─────────────────────────────

export interface ChanOp<T> extends Op<T> {
  readonly __heddleCase?: T;
}
export type Received<T> = [value: T, ok: true] | [value: undefined, ok: false];

export interface SendChan<in T> {
  /** Throws `ClosedChannelError` if the channel is or becomes closed. */
  send(value: T): ChanOp<void>;
  /** True if the value was taken without parking. */
  trySend(value: T): boolean;
  /** Throws `ClosedChannelError` if already closed. */
  close(): void;
  readonly length: number;
  readonly capacity: number;
}
export interface RecvChan<out T> extends AsyncIterable<T> {
  /** The next value; `undefined` once closed and drained. */
  recv(): ChanOp<T | undefined>;
  /** The next value and true; `[undefined, false]` once closed and drained. */
  recvOk(): ChanOp<Received<T>>;
  /** Like `recvOk` without parking; `undefined` when nothing is ready. */
  tryRecv(): Received<T> | undefined;
  readonly length: number;
  readonly capacity: number;
}
export interface Chan<T> extends SendChan<T>, RecvChan<T> {}

/** `make(chan T, capacity)`. Values are copied as structured clone does; channels, handles and sync objects travel by reference, SharedArrayBuffers too. */
export function chan<T>(capacity?: number): Chan<T>;
/** `for v := range ch` for generator bodies. */
export function range<T>(ch: RecvChan<T>, each: (value: T) => void | Goroutine<void>): Goroutine<void>;

export type Selected<C extends readonly unknown[]> = {
  [I in keyof C]: Extract<C[I], ChanOp<any>> extends ChanOp<infer T>
    ? { index: NumericIndex<I>; value: T }
    : never;
}[number];
type NumericIndex<I> = I extends `${infer N extends number}` ? N : number;
/** A case that is `undefined`, `null` or `false` never fires, as a nil channel in Go. */
export type SelectCase = ChanOp<any> | undefined | null | false;
/** Waits until one case can go on; picks among the ready ones uniformly at random. With no live case it parks for ever. */
export function select<C extends readonly SelectCase[]>(...cases: C): Op<Selected<C>>;
/** `select` with a `default`: `undefined` when no case is ready. */
export function trySelect<C extends readonly SelectCase[]>(...cases: C): Selected<C> | undefined;

// ───────────────────────────── sync ─────────────────────────────

export class WaitGroup {
  constructor();
  add(delta: number): void;
  done(): void;
  wait(): Op<void>;
  /** add(1), go, and done when it ends. */
  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void;
}
export class Mutex {
  constructor();
  /** `using _ = yield* mu.lock()` unlocks at scope end. */
  lock(): Op<Disposable>;
  tryLock(): boolean;
  unlock(): void;
}
export class RWMutex {
  constructor();
  lock(): Op<Disposable>;
  unlock(): void;
  rlock(): Op<Disposable>;
  runlock(): void;
  tryLock(): boolean;
  tryRLock(): boolean;
}
export class Once {
  constructor();
  do(call: () => void | Goroutine<void>): Op<void>;
}
export class Cond {
  constructor(mutex: Mutex);
  wait(): Op<void>;
  signal(): void;
  broadcast(): void;
}
export class Semaphore {
  constructor(permits: number);
  acquire(n?: number): Op<void>;
  tryAcquire(n?: number): boolean;
  release(n?: number): void;
}
export class Barrier {
  constructor(parties: number);
  /** True for exactly one of the parties. */
  wait(): Op<boolean>;
}
/** A shared 32-bit integer. */
export class AtomicInt {
  constructor(initial?: number);
  load(): number;
  store(value: number): void;
  /** Returns the value after the addition, as Go's Add. */
  add(delta: number): number;
  swap(value: number): number;
  compareAndSwap(old: number, value: number): boolean;
}

// ───────────────────────────── time ─────────────────────────────

/** All durations are milliseconds; fractions count. */
export function sleep(ms: number): Op<void>;
/** Receives the time in ms since the epoch, once. */
export function after(ms: number): RecvChan<number>;
export function afterFunc<A extends unknown[], R>(ms: number, fn: GoFunction<A, R>, ...args: A): Timer;
export interface Timer {
  /** True if this call kept it from firing. */
  stop(): boolean;
  reset(ms: number): boolean;
}
export class Ticker {
  constructor(ms: number);
  readonly c: RecvChan<number>;
  stop(): void;
  reset(ms: number): void;
}

// ───────────────────────────── context and groups ─────────────────────────────

export type CancelFunc = (cause?: unknown) => void;
export interface Context {
  /** Closed when the context is done. */
  done(): RecvChan<never>;
  /** `CanceledError` or `DeadlineExceededError` once done, else `undefined`. */
  err(): Error | undefined;
  cause(): unknown;
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
  value(key: string): unknown;
  /** The same context as this thread's AbortSignal, for fetch, fs and friends. */
  readonly signal: AbortSignal;
}
export const context: {
  background(): Context;
  /** The running goroutine's own. */
  current(): Context;
  withCancel(parent: Context): [Context, CancelFunc];
  withTimeout(parent: Context, ms: number): [Context, CancelFunc];
  withDeadline(parent: Context, epochMs: number): [Context, CancelFunc];
  withValue(parent: Context, key: string, value: unknown): Context;
};
/** golang.org/x/sync/errgroup: the first error cancels the context and is what `wait` throws. */
export class ErrGroup {
  constructor(parent?: Context);
  readonly context: Context;
  /** Starts `fn` now, or as soon as the limit allows, whether or not the op is used; the op parks until it has started. */
  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Op<void>;
  tryGo<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): boolean;
  setLimit(n: number): void;
  wait(): Op<void>;
}

// ───────────────────────────── the runtime, from the host thread ─────────────────────────────

export interface RuntimeOptions {
  /** Ps, as GOMAXPROCS; default `availableParallelism()`. */
  procs?: number;
  /** Upper bound on machine threads, blocked ones included. */
  maxMachines?: number;
  /** Slots in the goroutine table; `go` beyond it throws `GoroutineLimitError`. */
  maxGoroutines?: number;
  /** Time slice in ms, default 10. */
  timeSlice?: number;
  /** worker_threads limits for every machine. */
  resourceLimits?: {
    maxOldGenerationSizeMb?: number;
    maxYoungGenerationSizeMb?: number;
    stackSizeMb?: number;
  };
  execArgv?: string[];
  env?: Record<string, string>;
}
export interface Runtime extends AsyncDisposable {
  run<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Promise<R>;
  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void;
  spawn<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Handle<R>;
  spawnWith<A extends unknown[], R>(options: SpawnOptions, fn: GoFunction<A, R>, ...args: A): Handle<R>;
  /** Runs `body` with this runtime as the ambient one: `chan()`, `new Mutex()`, `go()` … belong to it. */
  enter<T>(body: () => T): T;
  numGoroutine(): number;
  /** Counters since start; see the package's own type for the full list. */
  stats(): RuntimeStats;
  /** Waits for the goroutines up to `graceMs` (default: for ever), cancels what is left, stops every thread. */
  close(options?: { graceMs?: number }): Promise<void>;
  readonly closed: boolean;
}
export interface RuntimeStats {
  procs: number;
  machines: number;
  goroutines: number;
  spawned: number;
  steals: number;
  preemptions: number;
  handoffs: number;
  parks: number;
}
export function start(options?: RuntimeOptions): Promise<Runtime>;
/** `run` on a runtime that starts at the first call and never keeps the process alive by itself. */
export function run<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Promise<R>;

// ───────────────────────────── errors ─────────────────────────────

/** Every error of the package has a stable `code`, `ERR_HEDDLE_…`. */
export class HeddleError extends Error {
  readonly code: string;
}
/** "all goroutines are asleep - deadlock!", with the dump of the sleepers. */
export class DeadlockError extends HeddleError {}
/** "send on closed channel", "close of closed channel". */
export class ClosedChannelError extends HeddleError {}
export class CanceledError extends HeddleError {}
export class DeadlineExceededError extends HeddleError {}
/** Wraps what an unrecovered `go` body threw (`cause`); every pending `run` rejects with it. */
export class PanicError extends HeddleError {}
/** The thread on which a started goroutine lived is gone (crash, exit, out of memory). */
export class MachineLostError extends HeddleError {}
export class GoroutineLimitError extends HeddleError {}
/** A value that cannot be copied to another thread; the message names the path, such as `args[0].onDone`. */
export class CloneError extends HeddleError {}
/** Not a declared body, or a module that cannot be loaded, or a name that is not in it. */
export class FunctionError extends HeddleError {}
/** Used outside a runtime, or after it was closed, or with two open and none entered. */
export class NoRuntimeError extends HeddleError {}
