/**
 * SharedArrayBuffers by number, across the threads of one runtime.
 *
 * A thread that meets a buffer for the first time takes the next number from shared memory and posts the buffer to all other threads on a broadcast channel; only then may a value name it. A post is in the
 * receivers' queues when the call returns, so a thread that meets an unknown number finds it there, without a turn of its event loop. A thread that starts
 * later asks, and the host, which knows all buffers, posts them again; the thread runs no goroutine before it has them.
 *
 * Every thread keeps every buffer of the runtime until the runtime is closed: the memory is shared, the cost is one small object each.
 */

import { BroadcastChannel, receiveMessageOnPort } from "node:worker_threads";
import { CorruptValueError, SAB_COUNT, type SharedBufferTable, type SharedMemory } from "@heddle/core";

type BufferMessage =
  | { readonly kind: "buffer"; readonly id: number; readonly buffer: SharedArrayBuffer }
  | { readonly kind: "tell" };

export class BroadcastBuffers implements SharedBufferTable {
  /** Resolves when every buffer that was known when this thread started is known here. */
  readonly ready: Promise<void>;
  private readonly i32: Int32Array;
  private readonly channel: BroadcastChannel;
  private readonly isHost: boolean;
  private readonly ids = new WeakMap<SharedArrayBuffer, number>();
  private readonly buffers = new Map<number, SharedArrayBuffer>();
  private arrived: (() => void) | undefined = undefined;

  constructor(memory: SharedMemory, runtime: string, isHost = false) {
    this.i32 = memory.i32;
    this.isHost = isHost;
    this.channel = new BroadcastChannel(runtime);
    this.channel.unref();
    this.channel.onmessage = (event) => this.receive((event as { data: BufferMessage }).data);
    this.ready = isHost ? Promise.resolve() : this.catchUp();
  }

  idOf(buffer: SharedArrayBuffer): number {
    const known = this.ids.get(buffer);
    if (known !== undefined) return known;
    const id = Atomics.add(this.i32, SAB_COUNT, 1) + 1;
    this.add(id, buffer);
    this.channel.postMessage({ kind: "buffer", id, buffer } satisfies BufferMessage);
    return id;
  }

  bufferOf(id: number): SharedArrayBuffer {
    let buffer = this.buffers.get(id);
    while (buffer === undefined) {
      const received = receiveMessageOnPort(this.channel as never);
      if (received === undefined) throw new CorruptValueError(`no shared buffer has number ${id}`);
      this.receive(received.message as BufferMessage);
      buffer = this.buffers.get(id);
    }
    return buffer;
  }

  // Buffers stay known until the runtime is closed, so uses need no count.
  retain(): void {}

  release(): void {}

  /** Leaves the channel. */
  close(): void {
    this.channel.close();
  }

  private receive(message: BufferMessage): void {
    if (message.kind === "buffer") this.add(message.id, message.buffer);
    else if (this.isHost) this.tellAll();
    this.arrived?.();
  }

  private add(id: number, buffer: SharedArrayBuffer): void {
    if (this.buffers.has(id)) return;
    this.buffers.set(id, buffer);
    this.ids.set(buffer, id);
  }

  private tellAll(): void {
    for (const [id, buffer] of this.buffers)
      this.channel.postMessage({ kind: "buffer", id, buffer } satisfies BufferMessage);
  }

  private catchUp(): Promise<void> {
    const wanted = Atomics.load(this.i32, SAB_COUNT);
    if (wanted === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.arrived = () => {
        for (let id = 1; id <= wanted; id++) if (!this.buffers.has(id)) return;
        this.arrived = undefined;
        resolve();
      };
      this.channel.ref();
      this.channel.postMessage({ kind: "tell" } satisfies BufferMessage);
    });
  }
}
