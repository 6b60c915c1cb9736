/** A runtime as its host sees it. */

import { Worker } from "node:worker_threads";
import {
  CorruptMemoryError,
  cancelAll,
  closedError,
  type DeadlockError,
  type GoFunction,
  type GoroutineInfo,
  type Handle,
  type HeddleError,
  HostThread,
  LIFE_NONE,
  listGoroutines,
  liveGoroutines,
  type MemoryOptions,
  neverCopied,
  PanicError,
  printsAs,
  type RuntimeStats,
  readStats,
  registerKinds,
  type SharedBuffers,
  SharedMemory,
  type SpawnOptions,
  setAlarm,
  setGarbageCollector,
  sharedBuffersOf,
  show,
  spawnOn,
  threadParts,
  wakeAll,
} from "@heddle/core";
import type { MachineMessage, MonitorBoot } from "./boot.ts";
import { processClock } from "./clock.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { DeadlockWatch } from "./deadlock-watch.ts";
import { tuneEngine } from "./engine.ts";
import { reportHog } from "./hogs.ts";
import { HostLoop } from "./host-loop.ts";
import { MachinePool } from "./machine-pool.ts";
import { nodeText } from "./node-text.ts";
import { type CheckedOptions, checkOptions, type RuntimeOptions } from "./options.ts";
import type { PanicMessage } from "./panic-message.ts";
import { receivedBytes } from "./received-bytes.ts";
import type { Runtime } from "./runtime-types.ts";
import { addRuntime, enterRuntime, refuseOnMachine, removeRuntime } from "./runtimes.ts";
import { BufferBroadcast } from "./shared-buffers.ts";
import { Supervisor } from "./supervisor.ts";
import { ThreadStarter } from "./thread-starter.ts";

/** Bytes for values that do not fit into a slot. Costs memory only where it was used. */
const SLAB_BYTES = 2 ** 30;
/** Sync objects that can exist at once. */
const MAX_OBJECTS = 1_000_000;

/** How long cancelled goroutines may take for their `finally` blocks and deferred calls when the runtime is closed. A guess. */
const CANCELED_GRACE_MS = 1000;
/**
 * How long to wait until the threads have ended. One that computes or sleeps ends at once; one that is in a call into the operating system (a program run by `execSync`, a pipe that nobody writes to) ends with that call, whenever that
 * is. A guess.
 */
const STOP_MS = 2000;
/**
 * How long after the first machine sysmon's thread is started. What it looks after takes longer to need it, and its start would slow down the machine, which loads the first body's module meanwhile. About what that
 * takes; a guess.
 */
const SYSMON_AFTER_MS = 10;
/** The longest time that setTimeout can wait. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

let runtimes = 0;

/** What chaos mode changes in the memory of a runtime. */
export type Chaos = Pick<MemoryOptions, "chaosSeed" | "ringSize">;

/** A runtime and its threads, held together on the host. The public methods are described in runtime-types.ts. */
class HostedRuntime implements Runtime {
  /** This thread's side of it. */
  readonly host: HostThread;
  private readonly memory: SharedMemory;
  private readonly loop: HostLoop;
  private readonly deadlocks: DeadlockWatch;
  private readonly pool: MachinePool;
  private readonly mail: BufferBroadcast;
  private readonly buffers: SharedBuffers;
  readonly supervisor: Supervisor;
  private readonly starter: ThreadStarter;
  private sysmon: Worker | undefined = undefined;
  private sysmonTimer: NodeJS.Timeout | undefined = undefined;
  private readonly alive: Promise<void>;
  private readonly settleAlive: { resolve(): void; reject(error: unknown): void };
  private drained: (() => void) | undefined = undefined;
  private endDraining: (() => void) | undefined = undefined;
  private closing: Promise<void> | undefined = undefined;

  private constructor(options: CheckedOptions, chaos: Chaos) {
    this.memory = SharedMemory.create({
      ...chaos,
      procs: options.procs,
      maxMachines: options.maxMachines,
      maxGoroutines: options.maxGoroutines,
      maxObjects: MAX_OBJECTS,
      slabBytes: SLAB_BYTES,
      timeSliceMs: options.timeSliceMs,
    });
    const name = `heddle-${process.pid}-${++runtimes}-${Math.random().toString(36).slice(2)}`;
    this.mail = new BufferBroadcast(this.memory, name);
    let resolve!: () => void;
    let reject!: (error: unknown) => void;
    this.alive = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.settleAlive = { resolve, reject };
    this.pool = new MachinePool(options, this.memory, name, {
      message: (machine, message) => this.onMessage(machine, message),
      ended: (machine, error) => this.onEnded(machine, error),
    });
    this.loop = new HostLoop(this.memory, () => this.onWoken());
    this.host = new HostThread(
      threadParts({
        memory: this.memory,
        number: 0,
        text: nodeText,
        copyBytes: receivedBytes(),
        mail: this.mail,
        clock: processClock(),
      }),
      this.loop,
    );
    this.starter = new ThreadStarter(
      this.host,
      (machine) => this.pool.start(machine),
      () => this.pool.hasThreads,
    );
    this.deadlocks = new DeadlockWatch(
      this.host,
      () => !this.closed && !this.supervisor.isBusy && (this.host.hasPending || this.closing !== undefined),
      (error) => this.onDeadlock(error),
    );
    registerKinds(this.host);
    this.buffers = sharedBuffersOf(this.host);
    void this.mail.deliverTo(this.buffers);
    this.mail.answerWith(this.buffers);
    setAlarm(this.host.i32, (error) => this.onCorrupt(error));
    setGarbageCollector(collectGarbage);
    this.supervisor = new Supervisor(this.host, this.pool, {
      panic: (message) => this.onPanic(message),
      fail: (error) => this.onHopeless(error),
    });
  }

  /** See `start`. */
  static async start(options?: RuntimeOptions, chaos: Chaos = {}): Promise<HostedRuntime> {
    const checked = checkOptions(options);
    const runtime = new HostedRuntime(checked, chaos);
    await runtime.boot();
    return runtime;
  }

  private async boot(): Promise<void> {
    this.loop.keepAlive(true);
    try {
      this.host.idle.requestMachine();
      this.loop.attach(this.host);
      await this.alive;
    } finally {
      if (!this.host.hasPending) this.loop.keepAlive(false);
    }
    addRuntime(this);
  }

  // ── goroutines ──

  run<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Promise<R> {
    return this.host.run(fn as never, args) as Promise<R>;
  }

  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void {
    this.host.go(fn as never, args);
  }

  spawn<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Handle<R> {
    return this.host.spawn(fn as never, args) as Handle<R>;
  }

  spawnWith<A extends unknown[], R>(options: SpawnOptions, fn: GoFunction<A, R>, ...args: A): Handle<R> {
    return spawnOn(this.host, options, fn, args);
  }

  enter<T>(body: () => T): T {
    return enterRuntime(this, body);
  }

  numGoroutine(): number {
    return liveGoroutines(this.memory);
  }

  goroutines(): GoroutineInfo[] {
    return listGoroutines(this.host);
  }

  stats(): RuntimeStats {
    return readStats(this.memory, this.host.idle);
  }

  get closed(): boolean {
    return this.host.closedBecause !== undefined;
  }

  // ── threads ──

  private onWoken(): void {
    this.starter.serve();
    this.buffers.tidyIfAsked();
    this.supervisor.endAllCondemned();
    this.drained?.();
    this.deadlocks.woken();
  }

  private onDeadlock(error: DeadlockError): void {
    // Whoever closes the runtime wants it to end, not to learn why its goroutines would not.
    if (this.closing !== undefined && !this.host.hasPending) this.endDraining?.();
    else this.fail(error);
  }

  private onMessage(machine: number, message: MachineMessage): void {
    if (message.kind === "alive") {
      tuneEngine();
      this.settleAlive.resolve();
      this.supervisor.machineStarted(machine);
      this.sysmonTimer ??= setTimeout(() => this.startSysmon(), SYSMON_AFTER_MS).unref();
    } else if (message.kind === "corrupt") {
      this.onCorrupt(new CorruptMemoryError(message.text));
    } else {
      this.onPanic(message);
    }
  }

  private startSysmon(): void {
    if (this.sysmon !== undefined || this.closed) return;
    const workerData: MonitorBoot = { memory: this.memory.buffer };
    const sysmon = new Worker(new URL("./sysmon-main.js", import.meta.url), {
      workerData,
      execArgv: [],
      env: {},
    });
    this.sysmon = sysmon;
    sysmon.on("message", reportHog);
    // After that: a listener for messages keeps the process alive.
    sysmon.unref();
    let cause: unknown;
    sysmon.on("error", (error) => {
      cause = error;
    });
    sysmon.on("exit", (code) => this.onSysmonEnded(cause ?? new Error(`worker exited with code: ${code}`)));
  }

  /** The thread that looks after the processors is over: another takes its place. */
  private onSysmonEnded(cause: unknown): void {
    this.sysmon = undefined;
    if (!this.closed && this.supervisor.sysmonLost(cause)) this.startSysmon();
  }

  /** Ends sysmon's thread, as a crash would: for tests. */
  killSysmon(): void {
    void this.sysmon?.terminate();
  }

  private onPanic(message: PanicMessage): void {
    if (this.closed) return;
    process.stderr.write(message.dump);
    this.fail(new PanicError(message.text, { cause: message.error }));
  }

  private onEnded(machine: number, error: unknown): void {
    if (this.closed) this.host.idle.setLife(machine, LIFE_NONE);
    else this.supervisor.machineLost(machine, error);
  }

  /** Ends a machine's thread at once. False if it has none that has got so far that it takes part. */
  kill(machine: number): boolean {
    return this.supervisor.hasStarted(machine) && this.pool.kill(machine);
  }

  /** What comes after is not to be relied on: the runtime ends, and whoever waits for it is told why. */
  private onCorrupt(error: CorruptMemoryError): void {
    if (!this.closed) this.fail(error);
  }

  private onHopeless(error: HeddleError): void {
    this.settleAlive.reject(error);
    this.fail(error);
  }

  private fail(error: HeddleError): void {
    void this.stop(error);
  }

  // ── the end ──

  close(options: { graceMs?: number } = {}): Promise<void> {
    if (options === null || typeof options !== "object")
      throw new TypeError(`close: options must be an object, not ${show(options)}`);
    const { graceMs } = options;
    if (graceMs !== undefined && !(typeof graceMs === "number" && graceMs >= 0)) {
      throw new RangeError(`close: graceMs must be a number of milliseconds from 0, not ${show(graceMs)}`);
    }
    this.closing ??= this.drainAndStop(graceMs);
    return this.closing;
  }

  private async drainAndStop(graceMs: number | undefined): Promise<void> {
    this.loop.keepAlive(true);
    if (!this.closed && !(await this.drain(graceMs))) {
      cancelAll(this.host, closedError());
      await this.drain(CANCELED_GRACE_MS);
    }
    await this.stop(closedError());
  }

  /** Waits until no goroutine is left, at most `graceMs` long. False if some are. */
  private drain(graceMs: number | undefined): Promise<boolean> {
    const { host } = this;
    return new Promise((resolve) => {
      const end = (all: boolean): void => {
        clearTimeout(timer);
        this.drained = undefined;
        this.endDraining = undefined;
        resolve(all);
      };
      const bounded = graceMs !== undefined && graceMs !== Number.POSITIVE_INFINITY;
      const timer = bounded ? setTimeout(() => end(false), Math.min(graceMs, MAX_TIMEOUT_MS)) : undefined;
      this.endDraining = () => end(false);
      this.drained = () => {
        if (this.closed || (this.numGoroutine() === 0 && host.idle.allIdle())) end(true);
      };
      host.startDraining();
      host.idle.wakeHost();
    });
  }

  private stopping: Promise<void> | undefined = undefined;

  private stop(error: HeddleError): Promise<void> {
    this.stopping ??= this.stopThreads(error);
    return this.stopping;
  }

  private async stopThreads(error: HeddleError): Promise<void> {
    removeRuntime(this);
    this.host.drain();
    this.host.shutDown(error);
    this.deadlocks.stop();
    this.supervisor.stop();
    this.starter.stop();
    clearTimeout(this.sysmonTimer);
    this.drained?.();
    wakeAll(this.memory);
    this.loop.stop();
    this.mail.close();
    await atMost(STOP_MS, Promise.all([this.pool.destroy(), this.sysmon?.terminate()]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

neverCopied(HostedRuntime.prototype, "a Runtime");
printsAs(
  HostedRuntime.prototype,
  (runtime) => `Runtime { goroutines: ${runtime.numGoroutine()}, closed: ${runtime.closed} }`,
);

/** Waits for a promise, but no longer than so many milliseconds. */
function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    promise.then(end, reject);
  });
}

/**
 * Starts a runtime with threads of its own. Resolves when its first machine is up.
 *
 * @throws `RangeError` or `TypeError` for an option out of bounds; `MachineLostError` if no thread can be started; `NoRuntimeError` inside a goroutine
 *
 * @example
 * ```ts
 * await using rt = await start({ procs: 4 });
 * console.log(await rt.run(fib, 25));
 * ```
 */
export function start(options?: RuntimeOptions): Promise<Runtime> {
  refuseOnMachine("start");
  return HostedRuntime.start(options);
}

/** `start`, with chaos mode. For tests: see start-with-chaos.ts. */
export function startChaotically(options: RuntimeOptions | undefined, chaos: Chaos): Promise<Runtime> {
  refuseOnMachine("startWithChaos");
  return HostedRuntime.start(options, chaos);
}

/** The host's side of a runtime, for tools that look into it. */
export function hostOf(runtime: Runtime): HostThread {
  return (runtime as HostedRuntime).host;
}

/** Whether no processor is held, and nothing that a dead thread left is still to be put right. */
export function isQuietInside(runtime: Runtime): boolean {
  const { host, supervisor } = runtime as HostedRuntime;
  return host.idle.allIdle() && !supervisor.isBusy;
}

/** Ends sysmon's thread, wherever it is. */
export function killSysmonOf(runtime: Runtime): void {
  (runtime as HostedRuntime).killSysmon();
}

/** Ends the thread of a machine, wherever it is. False if it has none. */
export function killMachineOf(runtime: Runtime, machine: number): boolean {
  return (runtime as HostedRuntime).kill(machine);
}

let defaultRuntime: Promise<Runtime> | undefined;

/**
 * Runs a goroutine on a runtime that starts at the first call, has as many processors as the machine has cores, and never keeps the process alive by itself.
 *
 * Rejects with what the body throws; with `FunctionError`, `CloneError` and the like if it cannot be started; with what ended the runtime.
 *
 * @throws `NoRuntimeError` inside a goroutine
 *
 * @example
 * ```ts
 * console.log(await run(fib, 25));
 * ```
 */
export function run<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Promise<R> {
  // Thrown, not rejected with: so a module that calls this at its top level fails to load on a machine, and says why.
  refuseOnMachine("run");
  return runOnDefault(fn, args);
}

async function runOnDefault<A extends unknown[], R>(fn: GoFunction<A, R>, args: A): Promise<R> {
  const runtime = await openDefaultRuntime();
  return runtime.run(fn, ...args);
}

/** The default runtime: started if there is none yet, or the last one has ended. All who ask at the same time get the same. */
async function openDefaultRuntime(): Promise<Runtime> {
  for (;;) {
    defaultRuntime ??= HostedRuntime.start();
    const starting = defaultRuntime;
    try {
      const runtime = await starting;
      if (!runtime.closed) return runtime;
    } catch (error) {
      if (defaultRuntime === starting) defaultRuntime = undefined;
      throw error;
    }
    if (defaultRuntime === starting) defaultRuntime = undefined;
  }
}
