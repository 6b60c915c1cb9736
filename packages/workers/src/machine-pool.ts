/**
 * The threads of a runtime's machines: one Piscina pool, a task that lasts as long as the runtime for each machine, an AbortSignal for each as its kill switch.
 */

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { isMachine, reserveHoldings, type SharedMemory } from "@heddle/core";
import type { Piscina } from "piscina";

type PiscinaWorker = Parameters<
  NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>["loadBalancer"]>
>[1][number];

import type { MachineBoot, MachineMessage } from "./boot.ts";
import { Lifeline } from "./lifeline.ts";
import type { CheckedOptions } from "./options.ts";

/**
 * Loaded by hand, for only a host needs it, and it takes as long to load as all of Heddle. A machine comes by here, too, when the module of its first body imports the package. (An `import()` would be over too late for a program that
 * calls `start` at once, and to await it here would keep CommonJS modules from loading the package.)
 */
const pools: { readonly Piscina: typeof Piscina } | undefined = isMachine() ? undefined : loadPools();

function loadPools(): { readonly Piscina: typeof Piscina } {
  return createRequire(import.meta.url)("piscina") as { readonly Piscina: typeof Piscina };
}

/** What the pool reports of a machine. */
export interface MachineEvents {
  message(machine: number, message: MachineMessage): void;
  /** The thread has ended: without an error if the machine left because the runtime is closed. */
  ended(machine: number, error: unknown): void;
}

interface HostedMachine {
  readonly kill: AbortController;
  readonly port: MessagePort;
  /** Closed when the thread has executed its last instruction. */
  readonly lifeline: Lifeline;
}

export class MachinePool {
  private readonly pool: Piscina;
  private readonly memory: SharedMemory;
  /** By machine: what the objects of its latest thread hold. */
  private readonly holdings = new Map<number, SharedArrayBuffer>();
  private readonly runtime: string;
  private readonly events: MachineEvents;
  private readonly machines = new Map<number, HostedMachine>();

  constructor(options: CheckedOptions, memory: SharedMemory, runtime: string, events: MachineEvents) {
    this.memory = memory;
    this.runtime = runtime;
    this.events = events;
    const { Piscina: Pool } = pools ?? loadPools();
    this.pool = new Pool({
      filename: fileURLToPath(new URL("./machine-entry.cjs", import.meta.url)),
      minThreads: 0,
      maxThreads: options.maxMachines,
      idleTimeout: Number.POSITIVE_INFINITY,
      // Machines sleep on words of their own; the pool is only asked to start and to end them.
      atomics: "disabled",
      recordTiming: false,
      trackUnmanagedFds: false,
      loadBalancer: toIdleThread,
      ...options.threads,
    });
    // The pool's own errors are the machines': each is reported through its task.
    this.pool.on("error", () => {});
  }

  /** Starts a thread for a machine. */
  start(number: number): void {
    const { port1, port2 } = new MessageChannel();
    const lifeline = new Lifeline();
    const machine: HostedMachine = { kill: new AbortController(), port: port1, lifeline };
    this.machines.set(number, machine);
    port1.on("message", (message: MachineMessage) => this.events.message(number, message));
    port1.unref();
    const { memory, runtime } = this;
    const boot: MachineBoot = {
      memory: memory.buffer,
      number,
      port: port2,
      lifeline: lifeline.far,
      holdings: this.newHoldings(number),
      runtime,
    };
    const task = this.pool.run(boot, {
      signal: machine.kill.signal,
      transferList: [port2, lifeline.far],
    }) as Promise<void>;
    void this.follow(number, machine, task);
  }

  /** Reports the end of a thread: when it is over with it, which may be a while after the pool has said why. */
  private async follow(
    number: number,
    { port, lifeline }: HostedMachine,
    task: Promise<void>,
  ): Promise<void> {
    let error: unknown;
    try {
      await task;
    } catch (reason) {
      error = reason;
    }
    // Unless a thread has it: one that was killed before it got as far as to be sent its task.
    lifeline.far.close();
    await lifeline.closed;
    port.close();
    this.machines.delete(number);
    this.events.ended(number, error);
  }

  /** Whether any machine has a thread, be it on its way. */
  get hasThreads(): boolean {
    return this.machines.size > 0;
  }

  /** A buffer for what the objects of a machine's thread hold; each thread has its own, since one that was killed may leave anything behind the end of a list. */
  private newHoldings(number: number): SharedArrayBuffer {
    const buffer = reserveHoldings(this.memory);
    this.holdings.set(number, buffer);
    return buffer;
  }

  /** What the objects of a machine's latest thread hold; `undefined` if it has had none. */
  holdingsOf(number: number): SharedArrayBuffer | undefined {
    return this.holdings.get(number);
  }

  /** Whether a machine's thread has executed its last instruction, though the event loop may not have told yet. */
  isDead(number: number): boolean {
    return this.machines.get(number)?.lifeline.isClosed() ?? false;
  }

  /** Ends a machine's thread at once. False if it has none. */
  kill(number: number): boolean {
    const machine = this.machines.get(number);
    if (machine === undefined || machine.kill.signal.aborted) return false;
    machine.kill.abort();
    return true;
  }

  /** Ends every thread. */
  async destroy(): Promise<void> {
    await this.pool.destroy();
    for (const { port, lifeline } of this.machines.values()) {
      port.close();
      lifeline.end();
    }
    this.machines.clear();
  }
}

/** What the pool keeps of a thread, found under a symbol of its own on what a load balancer is given. */
interface PooledThread {
  readonly port: MessagePort;
}

/**
 * Gives a task to an idle thread, and lets the process exit all the same: the pool refs a thread's port while a task runs there, and a machine's task runs as long as the
 * runtime. What keeps the process alive is a pending promise, which host-loop.ts sees to.
 */
function toIdleThread(_task: unknown, threads: PiscinaWorker[]): PiscinaWorker | null {
  const idle = threads.find((thread) => thread.currentUsage === 0);
  if (idle === undefined) return null;
  const key = Object.getOwnPropertySymbols(idle)[0];
  const pooled = key === undefined ? undefined : (idle as unknown as Record<symbol, PooledThread>)[key];
  // After the pool has posted the task and made its ref.
  queueMicrotask(() => pooled?.port.unref());
  return idle;
}
