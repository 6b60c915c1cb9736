/** How programs end: each is a process of its own, which must exit by itself. The test's time limit is the bound. */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const fileOf = (program: string): string =>
  fileURLToPath(new URL(`./fixtures/programs/${program}.mjs`, import.meta.url));

function runProgram(name: string, ...options: string[]): Promise<Ending> {
  return ending([...options, fileOf(name)]);
}

/** Runs Node; `printed` is called with all it has printed so far. */
function ending(
  options: readonly string[],
  printed?: (stdout: string, child: ChildProcess) => void,
): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, options, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += String(chunk);
      printed?.(stdout, child);
    });
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

const cases: [program: string, code: number, stdout: RegExp, stderr?: RegExp][] = [
  ["forgets-to-close", 0, /^3 7 11\n$/],
  ["waits-for-result", 0, /^turns 50\n$/],
  ["only-starts", 0, /^finished\n$/],
  ["ends-in-the-middle", 7, /^leaves\n$/],
  ["panics", 1, /^$/, /panic: TypeError: nobody catches this[^]*goroutine \d+ \[running\][^]*PanicError/],
  ["loses-machine", 0, /^MachineLostError ERR_HEDDLE_MACHINE_LOST\n3\n$/],
  ["top-level", 0, /^FunctionError cannot load "answer" of .*top-level\.mjs.*isMainThread/],
  ["in-own-worker", 0, /^55,2\nworker ended 0\n$/],
  ["many-in-own-worker", 0, /^true,true,true,true\n$/],
  ["closes-early", 0, /^closed 8\n$/],
  ["closes-hogs", 0, /^(\w+ NoRuntimeError\n){3,}(\w+ (NoRuntimeError|CanceledError|DeadlockError)\n)+$/],
  ["closes-in-call", 0, /^NoRuntimeError before the call's end\n$/],
  ["closes", 0, /^done true 0\n[^]*closed true\n/],
];

test.each(cases)("%s", async (program, code, stdout, stderr = /^$/) => {
  const ending = await runProgram(program);
  expect(ending).toMatchObject({ code, signal: null });
  expect(ending.stdout).toMatch(stdout);
  expect(ending.stderr).toMatch(stderr);
});

describe("under options that programs are run with", () => {
  test.each(["--enable-source-maps", "--expose-gc", "--max-old-space-size=512", "--no-warnings"])(
    "%s",
    async (option) => {
      const ending = await runProgram("forgets-to-close", option);
      expect(ending).toMatchObject({ code: 0, stdout: "3 7 11\n", stderr: "" });
    },
  );
});

describe.each(["SIGINT", "SIGTERM"] as const)("%s during work", (signal) => {
  const interrupted = (...options: string[]): Promise<Ending> => {
    let sent = false;
    return ending([fileOf("works-until-killed"), ...options], (stdout, child) => {
      if (sent || !stdout.includes("working")) return;
      sent = true;
      child.kill(signal);
    });
  };

  test("ends the process, whatever its threads are at", async () => {
    expect(await interrupted()).toMatchObject({ code: null, signal, stdout: "working\n" });
  });

  test("is the program's own affair if it handles it: it can close, and ends as it says", async () => {
    expect(await interrupted("handles")).toMatchObject({
      code: 3,
      signal: null,
      stdout: "working\nclosed\n",
    });
  });
});
