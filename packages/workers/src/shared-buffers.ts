/**
 * How SharedArrayBuffers get to the other threads of a runtime: by a broadcast channel that all of them join, except sysmon.
 *
 * A post is in the receivers' queues when the call returns, and a queue can be taken from at any moment, so a thread that meets the name of a buffer it does not know finds it there without a turn of its event
 * loop. Queues are in the order of the posts, whoever posted.
 *
 * A thread that starts later joins and then asks. The host answers with all that it keeps, and says when it has: it had taken its own mail up to the question, so nothing posted before the thread joined is missing. The thread runs no
 * goroutine before. That answer goes to all, for a broadcast has no address; they know what they have. Which buffers are kept, and why, is told in core's scheduler/thread/shared-buffers.ts.
 */

import { BroadcastChannel, receiveMessageOnPort, threadId } from "node:worker_threads";
import {
  type BufferMail,
  type BufferParcel,
  buffersWereSent,
  type SharedBuffers,
  type SharedMemory,
} from "@heddle/core";

type Message =
  | { readonly kind: "parcel"; readonly parcel: BufferParcel }
  /** Thread `to` asks for all there is. */
  | { readonly kind: "tell"; readonly to: number }
  /** It has been posted. */
  | { readonly kind: "told"; readonly to: number };

export class BufferBroadcast implements BufferMail {
  private readonly memory: SharedMemory;
  private readonly channel: BroadcastChannel;
  private answers: SharedBuffers | undefined = undefined;
  private told: (() => void) | undefined = undefined;
  private closed = false;

  /** Joins. What comes stays in the queue until `deliverTo`, or a turn of the event loop, in which it would be lost. */
  constructor(memory: SharedMemory, runtime: string) {
    this.memory = memory;
    this.channel = new BroadcastChannel(runtime);
    this.channel.unref();
  }

  /** Says who takes the parcels, and asks for those that came before this thread. Resolves when every buffer that a value may name has come, or is in the mail. */
  deliverTo(buffers: SharedBuffers): Promise<void> {
    this.channel.onmessage = (event) => {
      let parcel = this.open((event as { data: Message }).data) ?? this.take();
      // The rest with it: an event each would cost several times as much.
      for (; parcel !== undefined; parcel = this.take()) buffers.accept(parcel);
    };
    return buffersWereSent(this.memory) ? this.ask() : Promise.resolve();
  }

  /** Answers threads that start later with what is kept here. */
  answerWith(buffers: SharedBuffers): void {
    this.answers = buffers;
  }

  post(parcel: BufferParcel): void {
    this.send({ kind: "parcel", parcel });
  }

  take(): BufferParcel | undefined {
    while (!this.closed) {
      const received = receiveMessageOnPort(this.channel as never);
      if (received === undefined) return undefined;
      const parcel = this.open(received.message as Message);
      if (parcel !== undefined) return parcel;
    }
    return undefined;
  }

  twin(buffer: SharedArrayBuffer): SharedArrayBuffer {
    return structuredClone(buffer);
  }

  /** Leaves the channel. */
  close(): void {
    this.closed = true;
    this.channel.close();
  }

  private send(message: Message): void {
    // When the runtime is over nobody is there to receive anything.
    if (!this.closed) this.channel.postMessage(message);
  }

  private open(message: Message): BufferParcel | undefined {
    if (message.kind === "parcel") return message.parcel;
    if (message.kind === "tell") this.answer(message.to);
    else if (message.to === threadId) this.told?.();
    return undefined;
  }

  private answer(to: number): void {
    if (this.answers === undefined) return;
    this.answers.forEachCopy((parcel) => this.post(parcel));
    this.send({ kind: "told", to });
  }

  private ask(): Promise<void> {
    return new Promise((resolve) => {
      this.told = () => {
        this.channel.unref();
        resolve();
      };
      this.channel.ref();
      this.send({ kind: "tell", to: threadId });
    });
  }
}
