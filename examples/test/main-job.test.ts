import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countFile } from "../dist/main-job/count.js";
import type { Side } from "../dist/main-job/side.js";
import { openHeddle } from "../dist/main-job/sides/heddle.js";
import { openPiscina } from "../dist/main-job/sides/piscina.js";
import { openSerial } from "../dist/main-job/sides/serial.js";
import { addFile, checksum, emptyTally } from "../dist/main-job/tally.js";
import { selectFiles } from "../dist/main-job/walk.js";
import { makeSourceTree, removeSourceTree } from "./source-tree.ts";

const execute = promisify(execFile);
const program = fileURLToPath(new URL("../dist/main-job/main.js", import.meta.url));
const noLimits = { files: 100, megabytes: 1, fileKilobytes: 100 };

let root: string;
beforeAll(() => {
  root = makeSourceTree();
});
afterAll(() => removeSourceTree(root));

const namesOf = (paths: readonly string[]) =>
  paths.map((path) => path.slice(root.length + 1).replaceAll("\\", "/"));

describe("selecting files", () => {
  test("takes JavaScript in sorted order, follows no link, counts TypeScript", () => {
    const { paths, skipped, left } = selectFiles(root, noLimits);
    expect(namesOf(paths)).toEqual([
      "a/broken.js",
      "a/common.cjs",
      "a/odd-names.js",
      "b/module.mjs",
      "b/script.js",
    ]);
    expect(skipped).toBe(2);
    expect(left).toBe(0);
  });

  test("says how many files the limits leave out", () => {
    const { paths, left } = selectFiles(root, { ...noLimits, files: 2 });
    expect(namesOf(paths)).toEqual(["a/broken.js", "a/common.cjs"]);
    expect(left).toBe(3);
    expect(selectFiles(root, { ...noLimits, megabytes: 20e-6 }).paths).toHaveLength(1);
    expect(selectFiles(root, { ...noLimits, fileKilobytes: 0.02 }).paths).toHaveLength(1);
  });
});

describe("counting a file", () => {
  test("counts each place an identifier stands at", () => {
    const { identifiers, problem } = countFile(join(root, "a/common.cjs"));
    expect(problem).toBeUndefined();
    expect(Object.fromEntries(identifiers)).toEqual({ require: 1, module: 1, exports: 1, x: 4, y: 2 });
  });

  test("reads what only a script may hold", () => {
    expect(countFile(join(root, "b/script.js")).identifiers).toEqual(new Map([["let_", 2]]));
  });

  test("names that objects inherit are ordinary names", () => {
    const { identifiers } = countFile(join(root, "a/odd-names.js"));
    expect(identifiers.get("constructor")).toBe(2);
    expect(identifiers.get("__proto__")).toBe(2);
    expect(identifiers.get("größe")).toBe(1);
  });

  test("a file that does not parse is a problem and no error", () => {
    const { identifiers, problem } = countFile(join(root, "a/broken.js"));
    expect(identifiers.size).toBe(0);
    expect(problem).toMatch(/Unexpected token/);
  });
});

test("the checksum knows the counts and not their order", () => {
  const one = { identifiers: new Map([["a", 1]]) };
  const two = { identifiers: new Map([["b", 2]]) };
  const tallyOf = (...counts: (typeof one)[]) => {
    const tally = emptyTally();
    counts.forEach((count, index) => addFile(tally, `${index}`, count));
    return checksum(tally);
  };
  expect(tallyOf(one, two)).toBe(tallyOf(two, one));
  expect(tallyOf(one, two)).not.toBe(tallyOf(one, one));
});

describe("all sides find the same", () => {
  const sides = { serial: openSerial, piscina: openPiscina, heddle: openHeddle };

  test.each(Object.entries(sides))("%s", async (_, open) => {
    const { paths } = selectFiles(root, noLimits);
    const expected = await count(await openSerial(), paths);
    expect(await count(await open(), paths)).toEqual(expected);
    expect(expected.problems).toEqual([expect.stringContaining("broken.js")]);
  });

  async function count(side: Side, paths: readonly string[]) {
    try {
      const tally = await side.count(paths, () => {});
      return { checksum: checksum(tally), problems: tally.problems.map(({ path }) => path) };
    } finally {
      await side[Symbol.asyncDispose]();
    }
  }
});

describe("the program", () => {
  test("prints the table and the files that do not parse, and ends with status 0", async () => {
    const { stdout, stderr } = await execute(process.execPath, [program, "--root", root, "--rounds", "1"]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/5 JavaScript files.*2 TypeScript files skipped/);
    expect(stdout).toMatch(/serial.*1\.00 ×/);
    expect(stdout).toMatch(/heddle/);
    expect(stdout).toMatch(/1 file does not parse:\n.*broken\.js: Unexpected token/);
    expect(new Set(stdout.match(/\b[0-9a-f]{16}\b/g)).size).toBe(1);
  });

  test.each([
    [["--sides", "serial,goroutines"], /--sides: unknown goroutines/],
    [["--files", "0"], /--files: 0 is not/],
    [["--frobnicate"], /--frobnicate/],
  ])("refuses %j", async (args, message) => {
    await expect(execute(process.execPath, [program, ...args])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(message),
    });
  });
});
