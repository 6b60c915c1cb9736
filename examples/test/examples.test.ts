import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const execute = promisify(execFile);

test.each([
  ["hello", /^6765\n$/],
  ["parallel-map", /^100 digests, the last one [0-9a-f]{64}\n$/],
  ["tasks-from-existing-module", /^148933 primes below 2000000\n$/],
])("%s prints its result once and ends by itself", async (name, output) => {
  const program = fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url));
  // Outside of production, goroutines that a slow machine takes long for are warned of.
  const env = { ...process.env, NODE_ENV: "production" };
  const { stdout, stderr } = await execute(process.execPath, [program], { env, timeout: 60_000 });
  expect(stdout).toMatch(output);
  expect(stderr).toBe("");
});
