/**
 * Tells when a thread is over.
 *
 * Events do not: an error is reported while the thread still runs its exit handlers, and a kill is reported before it has happened. But a thread's ports are closed when its last JavaScript has run, and the other end learns of it. What
 * that thread left in shared memory changes no more from then on.
 */

import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";

export class Lifeline {
  /** The end for the thread: it keeps it and does nothing with it. */
  readonly far: MessagePort;
  /** Resolves when the thread is over. */
  readonly closed: Promise<void>;
  private near: MessagePort;
  private over = false;
  private settle!: () => void;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.near = port1;
    this.far = port2;
    this.closed = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.watch();
  }

  private watch(): void {
    const { near } = this;
    near.on("close", () => {
      if (near === this.near) this.noteEnd();
    });
    near.unref();
  }

  /**
   * The same without a turn of the event loop, for a thread that waits for a lock which the other may have died with. Receiving by hand takes the note of the closing off the port; a port that has it cannot be
   * sent any more, and that shows.
   */
  isClosed(): boolean {
    if (this.over) return true;
    receiveMessageOnPort(this.near);
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(this.near, [this.near]);
    } catch {
      this.noteEnd();
      return true;
    } finally {
      port1.close();
    }
    this.near = (receiveMessageOnPort(port2) as { message: MessagePort }).message;
    port2.close();
    this.watch();
    return false;
  }

  /** Nobody waits any more. */
  end(): void {
    this.noteEnd();
    this.near.close();
  }

  private noteEnd(): void {
    this.over = true;
    this.settle();
  }
}
