// Everything that is checked without running a test. All steps run, whether or not an earlier one failed.
// Expects a finished build.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { forgetReport, root, runCommand, runNode, writeReport } from "./steps.mjs";

const script = (name) => join(root, "scripts", name);

const steps = [
  ["format", () => runCommand("@biomejs/biome", "biome", ["check", "."])],
  ["lint", () => runCommand("oxlint", "oxlint", ["--type-aware", "--deny-warnings"])],
  ["imports", () => runCommand("dependency-cruiser", "depcruise", ["packages", "examples"])],
  ["types of the tests", () => runCommand("typescript", "tsc", ["-p", "tsconfig.test.json"])],
  ["heddle only re-exports", () => runNode(script("check-reexports.mjs"), [])],
];
if (existsSync(script("memory-map.mjs"))) {
  steps.push(["docs/memory-map.md", () => runNode(script("memory-map.mjs"), ["--check"])]);
}

forgetReport("lint");
const failures = [];
for (const [name, check] of steps) {
  console.log(`\n── ${name}`);
  if (!check()) failures.push(name);
}
writeReport("lint", { passed: steps.length - failures.length, failed: failures.length });
console.log(failures.length === 0 ? "\nAll checks passed." : `\nFailed: ${failures.join(", ")}`);
process.exit(failures.length === 0 ? 0 : 1);
