// Shows that the stress harness sees what it is for: plants a one-line bug in a copy of the kernel, lets scenarios loose on it, and tells which of them catches it and how soon. Expects a finished build.
//
//   npm run stress:planted -- [bug…] [--seconds 60]
//
// The bugs are the patches of packages/bench/planted. Above its diff each says in a line what it breaks, and in another which scenarios are set on it. Ends with status 1 if one goes uncaught.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundleAll } from "./bundle.mjs";
import { root } from "./steps.mjs";

const folder = join(root, "packages/bench/planted");
const packages = ["core", "workers", "heddle", "testkit", "bench"];

/** What a patch says above its diff. */
function readBug(name) {
  const text = readFileSync(join(folder, `${name}.patch`), "utf8");
  const [about, scenarios] = text.split("\n");
  return { name, about, scenarios: scenarios.replace("scenarios:", "").trim().split(/\s+/) };
}

/** The build in a folder of its own, with the sources of what is bundled. */
function copyBuild() {
  const copy = mkdtempSync(join(tmpdir(), "heddle-planted-"));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const name of packages) {
    const from = join(root, "packages", name);
    const to = join(copy, "packages", name);
    mkdirSync(to, { recursive: true });
    for (const part of [
      "package.json",
      "dist",
      "node_modules",
      ...(["core", "workers"].includes(name) ? ["src"] : []),
    ])
      if (existsSync(join(from, part)))
        cpSync(join(from, part), join(to, part), { recursive: true, verbatimSymlinks: true });
  }
  return copy;
}

/** Applies the patch to the sources of the copy, and bundles them. */
async function plant(copy, { name }) {
  const patched = spawnSync(
    "git",
    ["apply", "--unsafe-paths", `--directory=${copy}`, join(folder, `${name}.patch`)],
    { cwd: "/" },
  );
  if (patched.status !== 0) throw new Error(`${name}.patch does not apply: ${patched.stderr}`);
  await bundleAll(copy);
}

function settings(seconds) {
  const text = `--minutes ${seconds / 60} --procs 2,4 --scale 0.5 --length 0.5 --patience 4 --no-shrink --until-failure`;
  return text.split(" ");
}

/** Plays the scenarios in turn until one fails. */
function hunt(copy, { scenarios }, seconds) {
  const report = join(copy, "report.json");
  const began = performance.now();
  spawnSync(
    process.execPath,
    [join(copy, "packages/bench/dist/stress.js"), ...scenarios, ...settings(seconds), "--report", report],
    { timeout: (seconds + 60) * 1000, stdio: "ignore" },
  );
  const took = (performance.now() - began) / 1000;
  const { findings = [] } = JSON.parse(readFileSync(report, "utf8"));
  const [finding] = findings;
  return { took, caught: finding?.first };
}

function show({ name, about }, { took, caught }) {
  if (caught === undefined) return `${name}: NOT CAUGHT in ${took.toFixed(0)} s\n    ${about}`;
  const { plan, failure } = caught;
  const how = `${failure.kind}: ${failure.message.split("\n")[0]}`;
  return `${name}: caught in ${took.toFixed(0)} s by ${plan.scenario}${plan.chaos ? " with chaos" : ""}\n    ${about}\n    ${how}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" } },
});
const all = readdirSync(folder)
  .filter((file) => file.endsWith(".patch"))
  .map((file) => file.replace(".patch", ""));
let missed = 0;
for (const name of positionals.length > 0 ? positionals : all) {
  const bug = readBug(name);
  const copy = copyBuild();
  try {
    await plant(copy, bug);
    const result = hunt(copy, bug, Number(values.seconds));
    if (result.caught === undefined) missed++;
    console.log(show(bug, result));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
process.exit(missed === 0 ? 0 : 1);
