import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { harmless } from "./panic.mjs";
import { onProcs } from "./support/on-procs.ts";

const PROGRAM = fileURLToPath(new URL("panic-main.mjs", import.meta.url));

interface Report {
  errors: { name: string; code: string; cause?: unknown; causeOfCause?: string }[];
  closed: boolean;
  later: string;
}

/** What is thrown, and in which kind of body; what stderr begins with; the cause of everybody's PanicError, and its cause. */
const TABLE: [what: string, kind: string, text: RegExp, cause: unknown, causeOfCause?: string][] = [
  ["error", "generator", /^panic: (Error: )?boom\n\n/, "Error: boom"],
  ["error", "async", /^panic: (Error: )?boom\n\n/, "Error: boom"],
  ["error", "plain", /^panic: (Error: )?boom\n\n/, "Error: boom"],
  [
    "error of a class of its own",
    "generator",
    /^panic: (RangeError: )?out of range\n\n/,
    "RangeError: out of range",
  ],
  [
    "error with a cause",
    "async",
    /^panic: (Error: )?first\n\tpanic: (Error: )?second\n\n/,
    "Error: second",
    "first",
  ],
  ["string", "plain", /^panic: boom\n\n/, "boom"],
  ["number", "generator", /^panic: 42\n\n/, 42],
  ["object", "async", /^panic: .+\n\n/, { a: 1, b: "two" }],
  ["undefined", "plain", /^panic: undefined\n\n/, undefined],
  [
    "in a deferred call",
    "generator",
    /^panic: (Error: )?first\n\tpanic: (Error: )?second\n\n/,
    "Error: second",
    "first",
  ],
  ["thrown again", "async", /^panic: (Error: )?again\n\n/, "Error: again"],
  ["in a WaitGroup", "generator", /^panic: (Error: )?boom\n\n/, "Error: boom"],
];

/** After the text: the goroutine, where it was, who started it. */
const DUMP = /\n\ngoroutine \d+ \[running\]:\n(?:.*\n)+?created by \w+ in goroutine \d+\n$/;
const KERNEL = /\/core\/dist\//;

describe.each([
  [1, TABLE],
  // What does not depend on what was thrown.
  [4, TABLE.slice(0, 3)],
])("an error that leaves a goroutine started with go, procs %d", (procs, table) => {
  test("is printed as Go prints it, everybody is told, the runtime is closed, the program goes on", async () => {
    const cases = JSON.stringify(table.map(([what, kind]) => [what, kind]));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [PROGRAM, `${procs}`, cases]);
    const reports: Report[] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const dumps = stderr.split(/^<< .*\n/m).slice(1);
    expect(reports).toHaveLength(table.length);
    for (const [i, [what, , text, cause, causeOfCause]] of table.entries()) {
      expect(dumps[i], what).toMatch(text);
      expect(dumps[i], what).toMatch(DUMP);
      expect(dumps[i], what).not.toMatch(KERNEL);
      const told = { name: "PanicError", code: "ERR_HEDDLE_PANIC", cause, causeOfCause };
      expect(reports[i], what).toEqual({
        errors: Array.from({ length: 7 }, () => told),
        closed: true,
        later: "PanicError",
      });
    }
  });
});

onProcs("an error that goes to somebody, or is stopped", (runtime) => {
  test("is no panic: joined or not, in a group, a cancellation, recovered", async () => {
    expect(await runtime().run(harmless)).toEqual(["boom", "boom"]);
    expect(runtime().closed).toBe(false);
  });
});
