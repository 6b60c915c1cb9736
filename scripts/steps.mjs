// Runs the programs of `npm test` and `npm run lint` and writes down how they went, for `.ci/run` to add up.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, "temp");

export const reportPath = (name) => join(reports, `${name}.json`);

/** Forgets the reports of an earlier run, so that a step that never ran cannot look as if it had passed. */
export function forgetReport(...names) {
  mkdirSync(reports, { recursive: true });
  for (const name of names) rmSync(reportPath(name), { force: true });
}

export function writeReport(name, counts) {
  writeFileSync(reportPath(name), `${JSON.stringify(counts)}\n`);
}

export function readReport(name) {
  return existsSync(reportPath(name)) ? JSON.parse(readFileSync(reportPath(name), "utf8")) : undefined;
}

/** The file that a command of an installed package starts, found through its package.json. */
function programOf(packageName, command) {
  const folder = join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[command]);
}

/** Runs a Node program from the root with its output on ours; true when it ends with status 0. */
export function runNode(program, args, options = {}) {
  const { status, error } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    ...options,
  });
  if (error) console.error(error.message);
  return status === 0;
}

export function runCommand(packageName, command, args, options) {
  return runNode(programOf(packageName, command), args, options);
}
