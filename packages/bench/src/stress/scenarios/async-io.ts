/** Async bodies that talk over loopback sockets, with goroutines that compute on the same threads. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { checkpoint, type Goroutine, goroutine, type Mutex, Mutex as SharedMutex, sleep } from "heddle";
import { BrokenInvariant, expectSame, type Scenario } from "../scenario.ts";

/** Sends lines to an echo server and checks what comes back. */
const talker = goroutine(
  import.meta,
  async function talker(port: number, id: number, lines: number, turns: Mutex): Promise<number> {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.setNoDelay(true);
    await once(socket, "connect");
    const received = linesOf(socket);
    let characters = 0;
    for (let line = 0; line < lines; line++) {
      const text = `${id}:${line}:${"x".repeat((id * 31 + line * 17) % 500)}`;
      socket.write(`${text}\n`);
      const { value: back } = await received.next();
      if (back !== text)
        throw new BrokenInvariant(`connection ${id} sent line ${line} and got ${String(back).slice(0, 60)}`);
      characters += text.length;
      if (line % 4 === 0) await sleep(0.2);
      if (line % 5 === 0) {
        await turns.lock();
        turns.unlock();
      }
    }
    socket.end();
    socket.destroy();
    return characters;
  },
);

async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of socket.setEncoding("utf8") as AsyncIterable<string>) {
    const parts = (rest + piece).split("\n");
    rest = parts.pop() as string;
    yield* parts;
  }
}

const computing = goroutine(import.meta, function* computing(steps: number): Goroutine<number> {
  let hash = 1;
  for (let step = 0; step < steps; step++) {
    hash = Math.imul(hash ^ step, 0x01000193) >>> 0;
    if (step % 1000 === 0) yield* checkpoint();
  }
  return hash;
});

function expectedHash(steps: number): number {
  let hash = 1;
  for (let step = 0; step < steps; step++) hash = Math.imul(hash ^ step, 0x01000193) >>> 0;
  return hash;
}

export const asyncIo: Scenario = {
  name: "async-io",
  about:
    "async bodies that talk to an echo server beside goroutines that compute: every line comes back, and every computation gives what it must",
  async play(stage) {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const { runtime } = stage;
      const turns = runtime.enter(() => new SharedMutex());
      const lines = stage.often(60);
      const steps = stage.often(400_000);
      const talkers = Array.from({ length: stage.many(24) }, (_, id) =>
        runtime.run(talker, port, id, lines, turns).then(() => stage.did(lines)),
      );
      const computed = Array.from({ length: stage.many(12) }, () => runtime.run(computing, steps));
      for (const hash of await Promise.all(computed)) expectSame("a computation", hash, expectedHash(steps));
      await Promise.all(talkers);
    } finally {
      server.close();
    }
  },
};
