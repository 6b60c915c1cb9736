// Makes one file, or a few, of the many modules of core and workers. A thread loads a hundred modules in several times the time that it takes for their text in one file, and each machine loads them anew.
//
// Both packages stay what they are to the module loader: workers imports core by its name, so machine, host and bodies meet one instance of each. Only sysmon, which shares nothing but memory, has its part of core in its own file.
//
//   node scripts/bundle.mjs            those that are older than their sources
//   node scripts/bundle.mjs --all
//
// Constants of other modules stand in the code as numbers afterwards. Names are kept, so that stacks and profiles can be read; source maps lead to the sources.

import { copyFileSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { root as here } from "./steps.mjs";

const parts = [
  { name: "core", entries: ["index"], external: [] },
  {
    name: "workers",
    entries: ["index", "testing", "machine-main"],
    external: [/^@heddle\/core$/, "piscina"],
  },
  { name: "workers", entries: ["sysmon-main"], external: [], withCore: true },
];

const sourcesOf = (root, name) => join(root, "packages", name, "src");
const bundlesOf = (root, name) => join(root, "packages", name, "dist/bundle");

/** Bundles one part of the packages under `root`. */
async function bundle(root, { name, entries, external, withCore = false }) {
  const sources = sourcesOf(root, name);
  const made = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(sources, `${entry}.ts`)])),
    external: [/^node:/, ...external],
    platform: "node",
    resolve: withCore ? { alias: { "@heddle/core": join(sourcesOf(root, "core"), "index.ts") } } : {},
    // Kinds of objects and of timers register themselves when their modules are loaded, wanted by name or not.
    treeshake: { moduleSideEffects: true },
    optimization: { inlineConst: { mode: "all", pass: 3 } },
    transform: { target: "node20" },
    tsconfig: false,
    onLog(level, log, report) {
      report(level === "warn" ? "error" : level, log);
    },
  });
  await made.write({
    dir: bundlesOf(root, name),
    format: "esm",
    sourcemap: true,
    chunkFileNames: "[name].js",
    comments: { jsdoc: false },
  });
  await made.close();
}

/** Bundles the packages of a checkout, or of a copy of one. */
export async function bundleAll(root = here) {
  for (const name of ["core", "workers"]) rmSync(bundlesOf(root, name), { recursive: true, force: true });
  await Promise.all(parts.map((part) => bundle(root, part)));
  const entry = join("packages/workers/dist", "machine-entry.cjs");
  copyFileSync(join(root, entry), join(bundlesOf(root, "workers"), "machine-entry.cjs"));
}

function newest(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map((file) => statSync(join(file.parentPath ?? file.path, file.name)).mtimeMs));
}

/** Whether the bundles were made after the last change of what they are made of. */
function isFresh() {
  // The last file to be written
  const mark = join(bundlesOf(here, "workers"), "machine-entry.cjs");
  if (!existsSync(mark)) return false;
  const inputs = [newest(sourcesOf(here, "core")), newest(sourcesOf(here, "workers"))];
  return statSync(mark).mtimeMs > Math.max(...inputs, statSync(fileURLToPath(import.meta.url)).mtimeMs);
}

/** For Vitest: what is tested is what is there. */
export async function setup() {
  if (!isFresh()) await bundleAll();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes("--all") || !isFresh()) await bundleAll();
}
