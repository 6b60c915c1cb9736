/** What is used here of packages that bring no types that an ES module of Node can see. */

declare module "bthreads" {
  interface Pool {
    call(name: string, args: unknown[]): Promise<unknown>;
    close(): Promise<unknown>;
  }
  const threads: {
    Pool: new (filename: string, options: { size: number }) => Pool;
    parent: { hook(name: string, task: (argument: number) => unknown): void };
  };
  export default threads;
}

declare module "nanothreads" {
  import type { MessagePort } from "node:worker_threads";

  export class ThreadPool {
    constructor(options: { task: string; count: number; maxConcurrency?: number });
    exec(...args: unknown[]): Promise<unknown>;
    terminate(): Promise<void>;
  }
  export function workerInit(
    port: MessagePort | null,
    task: (name: "echo" | "burnSteps", argument: number) => unknown,
  ): void;
}

declare module "comlink/dist/esm/node-adapter.mjs" {
  import type { MessagePort, Worker } from "node:worker_threads";
  import type { Endpoint } from "comlink";
  export default function nodeEndpoint(port: MessagePort | Worker): Endpoint;
}
