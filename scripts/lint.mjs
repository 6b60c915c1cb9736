// Everything that is checked without running a test. All steps run, whether or not an earlier one failed.
// Expects a finished build.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { forgetReport, root, runCommand, runNode, writeReport } from "./steps.mjs";

const script = (name) => join(root, "scripts", name);

const published = ["core", "workers", "heddle"];
const isPublishable = (name) =>
  runCommand("publint", "publint", ["--strict", "--pack", "npm"], { cwd: join(root, "packages", name) });

const steps = [
  ["format", () => runCommand("@biomejs/biome", "biome", ["check", "."])],
  ["lint", () => runCommand("oxlint", "oxlint", ["--type-aware", "--deny-warnings"])],
  ["imports", () => runCommand("dependency-cruiser", "depcruise", ["packages", "examples"])],
  ["types of the tests", () => runCommand("typescript", "tsc", ["-p", "tsconfig.test.json"])],
  ["unused files and dependencies", () => runCommand("knip", "knip", ["--no-config-hints"])],
  ["packages as published", () => published.every(isPublishable)],
  ["heddle only re-exports", () => runNode(script("check-reexports.mjs"), [])],
  ["who writes which word", () => runNode(script("check-writers.mjs"), [])],
  ["files that documents name", () => runNode(script("check-docs.mjs"), [])],
  ["docs/memory-map.md", () => runNode(script("memory-map.mjs"), ["--check"])],
];
if (existsSync(join(root, "packages/heddle/etc/heddle.api.md"))) {
  const config = join(root, "packages/heddle/api-extractor.json");
  steps.push([
    "API report",
    () => runCommand("@microsoft/api-extractor", "api-extractor", ["run", "--config", config]),
  ]);
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
