// Makes the checkout ready to run with nothing but Node and npm: installs with the pnpm that package.json
// names, and, with --build, compiles and bundles. Steps are skipped when nothing they read has changed.
//
//   node scripts/bootstrap.mjs                     install if needed
//   node scripts/bootstrap.mjs --build             and compile
//   node scripts/bootstrap.mjs --update-lockfile   install after a package.json was edited

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules", ".heddle-installed");
const flags = new Set(process.argv.slice(2));

/** Everything an install depends on, in one hash: the lockfile, the workspace file, every package.json. */
function installInputs() {
  const files = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "examples/package.json"];
  for (const name of readdirSync(join(root, "packages")).toSorted())
    files.push(`packages/${name}/package.json`);
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of files) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(`${file}\n`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === installInputs();
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** npm's own program, so that no shell is needed: `npm run` says where it is, and Node brings one along. */
function npmProgram() {
  const candidates = [
    process.env.npm_execpath,
    join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js"),
    join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js"),
  ];
  return candidates.find((path) => path && /npm-cli\.[cm]?js$/.test(path) && existsSync(path));
}

function pnpm(...args) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const exec = ["exec", "--yes", `--package=${packageManager}`, "--", "pnpm", ...args];
  const npm = npmProgram();
  if (npm) run(process.execPath, [npm, ...exec]);
  else run("npm", exec);
}

function install() {
  if (flags.has("--update-lockfile")) pnpm("install", "--no-frozen-lockfile");
  else pnpm("install", "--frozen-lockfile");
  writeFileSync(stamp, installInputs());
}

if (flags.has("--update-lockfile") || !isInstalled()) install();
if (flags.has("--build")) {
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"]);
  run(process.execPath, [join(root, "scripts/bundle.mjs")]);
}
