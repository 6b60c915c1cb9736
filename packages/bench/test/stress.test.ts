import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { shrink } from "../dist/stress/shrink.js";
import type { RoundResult } from "../src/stress/round.ts";
import type { RoundPlan } from "../src/stress/scenario.ts";

const script = fileURLToPath(new URL("../dist/stress.js", import.meta.url));

/** Twenty-five seconds of rounds a third of the usual size. */
const SHORT = ["--minutes", "0.4", "--scale", "0.3", "--length", "0.3"];

async function stress(...args: string[]): Promise<{ status: number; output: string; report: string }> {
  const report = join(await mkdtemp(join(tmpdir(), "heddle-stress-")), "report.json");
  const run = promisify(execFile)(process.execPath, [script, "--report", report, ...args]);
  const { status, stdout } = await run.then(
    ({ stdout }) => ({ status: 0, stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      status: error.code,
      stdout: error.stdout + error.stderr,
    }),
  );
  return { status, output: stdout, report };
}

it("nothing is lost, doubled, reordered or left hanging in rounds of a new seed", async () => {
  const { status, output, report } = await stress(...SHORT);
  // The seed, and what happened if something did not hold.
  console.log(output);
  expect(status, output).toBe(0);
  const { all, findings } = JSON.parse(await readFile(report, "utf8"));
  expect(findings).toEqual([]);
  expect(all.rounds).toBeGreaterThan(0);
});

it("every planted bug still fits the kernel it is meant for", async () => {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const folder = join(root, "packages/bench/planted");
  const patches = (await readdir(folder)).filter((file) => file.endsWith(".patch"));
  expect(patches.length).toBeGreaterThan(5);
  const check = promisify(execFile)(
    "git",
    ["apply", "--check", ...patches.map((file) => join(folder, file))],
    {
      cwd: root,
    },
  );
  await expect(check).resolves.toBeDefined();
});

it("a failing round says how to play it again", async () => {
  const asked = "fails-on-purpose --seed 7 --procs 1 --chaos off --no-shrink";
  const { status, output } = await stress(...asked.split(" "));
  expect(status).toBe(1);
  expect(output).toContain("fails-on-purpose: invariant: on purpose, with 100 goroutines");
  expect(output).toContain("npm run stress -- fails-on-purpose --seed 7 --procs 1 --chaos off --repeat 50");
});

it("a failing round is made smaller while it still fails", async () => {
  const plan = { scenario: "any", seed: 1, procs: 4, scale: 1, length: 1, chaos: false };
  const patience = { stillMs: 1, roundMs: 1 };
  const played: RoundPlan[] = [];
  const play = async (tried: RoundPlan): Promise<RoundResult> => {
    played.push(tried);
    const fails = tried.scale * 100 >= 10 && tried.procs >= 2;
    return {
      plan: tried,
      ...(fails ? { failure: { kind: "invariant", message: "lost" } } : {}),
    } as RoundResult;
  };
  const first = await play(plan);
  const { plan: smallest } = await shrink(first, play, patience, Number.POSITIVE_INFINITY);
  expect(smallest).toMatchObject({ seed: 1, procs: 2, scale: 0.125, length: 1 / 64 });
  expect(played.every((one) => one.seed === 1)).toBe(true);
});

it("a hang is noticed, and what everybody is doing is told", async () => {
  const { status, output } = await stress(
    "hangs-on-purpose",
    "--procs",
    "2",
    "--patience",
    "1",
    "--no-shrink",
  );
  expect(status).toBe(1);
  expect(output).toContain("hangs-on-purpose: hang: nothing has moved for 1 s");
  expect(output).toMatch(/machine 1: alive, asleep/);
  expect(output).toMatch(/goroutine \d+ \[chan receive\]:\nwaitsForHost/);
});
