/** What the host tells a thread when it starts. */

import type { MessagePort } from "node:worker_threads";

/** For a machine. */
export interface MachineBoot {
  readonly memory: SharedArrayBuffer;
  /** The machine's number, from 1. */
  readonly number: number;
  /** To the host: see `MachineMessage`. */
  readonly port: MessagePort;
  /** Only there to be closed with the thread: its other end tells the host that the thread executes nothing any more. */
  readonly lifeline: MessagePort;
  /** For what the thread's objects hold. */
  readonly holdings: SharedArrayBuffer;
  /** Names the runtime among those of the process. */
  readonly runtime: string;
}

/** What a machine tells the host beside what goes through shared memory. */
export type MachineMessage =
  | { readonly kind: "alive" }
  | {
      /** A word of the shared memory makes no sense. */
      readonly kind: "corrupt";
      readonly text: string;
    }
  | {
      readonly kind: "panic";
      /** The error, or what of it can be sent. */
      readonly error: unknown;
      /** Its name and message. */
      readonly text: string;
      /** What Go would print. */
      readonly dump: string;
    };

/** For sysmon. */
export interface MonitorBoot {
  readonly memory: SharedArrayBuffer;
}

/** What sysmon tells the host: a goroutine keeps its processor. */
export interface HogMessage {
  /** The goroutine's id. */
  readonly id: number;
  /** Its function's name, or the one it was given at the spawn. */
  readonly name: string;
  /** URL of the module its function is in. */
  readonly module: string;
  /** How long it has run without giving way, in milliseconds. */
  readonly heldMs: number;
}
