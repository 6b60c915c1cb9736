import { execFile } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../dist/stress.js", import.meta.url));

/** Half a minute of rounds a third of the usual size. */
const SHORT = ["--minutes", "0.5", "--scale", "0.3", "--length", "0.3"];

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

it("nothing is lost, doubled, reordered or left hanging in half a minute of a new seed", async () => {
  const { status, output, report } = await stress(...SHORT);
  // The seed, and what happened if something did not hold.
  console.log(output);
  expect(status, output).toBe(0);
  const { all, findings } = JSON.parse(await readFile(report, "utf8"));
  expect(findings).toEqual([]);
  expect(all.rounds).toBeGreaterThan(0);
});
