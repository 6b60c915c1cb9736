// The programs in the README do what it says.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as heddle from "heddle";
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

test("the table of errors lists every class with its code", () => {
  const listed = [...readme.matchAll(/^\| `(\w+Error)` \| `(ERR_\w+)` \|/gm)].map(([, name, code]) => ({
    name,
    code,
  }));
  const exported = Object.values(heddle)
    .filter((value) => typeof value === "function" && value.prototype instanceof heddle.HeddleError)
    .map((errorClass) => new (errorClass as typeof heddle.HeddleError)())
    .map(({ name, code }) => ({ name, code }));
  const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name);
  expect(listed.toSorted(byName)).toEqual(exported.toSorted(byName));
});
