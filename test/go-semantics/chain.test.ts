import { expect, test } from "vitest";
import { chain, chainAsync, chainOnHost } from "./chain.mjs";
import { onProcs } from "./support/on-procs.ts";

const LENGTH = 10_000;

onProcs("a chain of 10,000 goroutines", (runtime) => {
  test("generator bodies", async () => {
    expect(await runtime().run(chain, LENGTH)).toBe(LENGTH);
  });

  test("async bodies", async () => {
    expect(await runtime().run(chainAsync, LENGTH)).toBe(LENGTH);
  });

  test("with the host at both ends", async () => {
    expect(await runtime().enter(() => chainOnHost(LENGTH))).toBe(LENGTH);
  });
});
