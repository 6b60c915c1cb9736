// All tests but the long stress runs: Vitest's two projects, then the type tests. Expects a finished build.
// Arguments go to Vitest: `npm test -- packages/core/test/ring.test.ts -t steal`.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { forgetReport, readReport, reportPath, root, runCommand, writeReport } from "./steps.mjs";

/** Vitest's report as counts. A file that failed to load counts as one failure. */
function countTests(report, passed) {
  if (!report) return { passed: 0, failed: 1 };
  const unloadable = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const failed = report.numFailedTests + unloadable.length;
  return { passed: report.numPassedTests, failed: failed === 0 && !passed ? 1 : failed };
}

function runTests(args) {
  const passed = runCommand("vitest", "vitest", [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportPath("vitest")}`,
    ...args,
  ]);
  return countTests(readReport("vitest"), passed);
}

function runTypeTests() {
  const folder = join(root, "packages/heddle/typetest");
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  if (!files.some((file) => String(file).endsWith(".tst.ts"))) return { passed: 0, failed: 0 };
  const passed = runCommand("tstyche", "tstyche", []);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1 };
}

forgetReport("vitest", "test");
const args = process.argv.slice(2);
const tests = runTests(args);
const typeTests = args.length === 0 ? runTypeTests() : { passed: 0, failed: 0 };
const counts = { passed: tests.passed + typeTests.passed, failed: tests.failed + typeTests.failed };
writeReport("test", counts);
process.exit(counts.failed === 0 ? 0 : 1);
