// The programs in the README do what it says.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Inside the checkout, so that the programs find the package as a user's would.
const folder = join(root, "temp", "readme");

/** A program is a block whose fence names a file; what it prints is the block behind it. */
const PROGRAM = /^```js (\S+\.mjs)\n(.*?)^```\n\n^```text\n(.*?)^```$/gms;

const readme = readFileSync(join(root, "README.md"), "utf8");
const programs = [...readme.matchAll(PROGRAM)].map(([, file, code, output]) => ({ file, code, output }));

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("programs in the README", () => {
  test("each one names its file and shows its output", () => {
    expect(programs.length).toBeGreaterThan(0);
    expect(programs).toHaveLength(readme.match(/^```js/gm)?.length ?? 0);
  });

  test.each(programs)("$file prints what stands below it, and ends", ({ file, code, output }) => {
    const path = join(folder, file);
    writeFileSync(path, code);
    const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
      encoding: "utf8",
      timeout: 60_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: output, stderr: "" });
  });
});
