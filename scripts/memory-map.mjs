// Writes docs/memory-map.md from packages/core/src/memory/layout.ts and the drawings of packed words beside their code.
// With --check it writes nothing and fails if the file is not what it would write. Expects a finished build.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { allConstants, coreSources, isWord, readLayout } from "./layout-words.mjs";
import { root } from "./steps.mjs";

const target = join(root, "docs/memory-map.md");

// ── packed words ──

const FENCE = /```\n([\s\S]*?)```/g;
/** A drawing of bits begins with the number of the highest. */
const DRAWN_BITS = /^\s*31\s/;

/** Drawings of packed words by the word's name, each with the module it stands in. */
function drawings(wordNames) {
  const found = new Map();
  for (const file of readdirSync(coreSources, { recursive: true }).map(String).sort()) {
    if (!file.endsWith(".ts")) continue;
    const text = readFileSync(join(coreSources, file), "utf8");
    const [comment] = ts.getLeadingCommentRanges(text, 0) ?? [];
    if (comment === undefined) continue;
    const header = text
      .slice(comment.pos, comment.end)
      .split("\n")
      .map((line) => line.replace(/^ \* ?/, ""))
      .join("\n");
    for (const match of header.matchAll(FENCE)) {
      if (!DRAWN_BITS.test(match[1])) continue;
      // The word is named in the drawing, or last before it.
      const names = `${header.slice(0, match.index)}\n${match[1]}`.match(/\b[A-Z]+_[A-Z_]+\b/g) ?? [];
      const name = names.filter((candidate) => wordNames.has(candidate)).at(-1);
      if (name !== undefined)
        found.set(name, { module: file.replace(/\.ts$/, ""), drawing: match[1].trimEnd() });
    }
  }
  return found;
}

// ── default sizes ──

/** A numeric constant of a source file of the workers package. */
function numberIn(file, name) {
  const source = readFileSync(join(root, "packages/workers/src", file), "utf8");
  const found = new RegExp(`^(?:export )?const ${name}(?:: number)? = ([\\d_ *]+);`, "m").exec(source);
  if (found === null)
    throw new Error(`memory-map: packages/workers/src/${file} has no numeric constant ${name}`);
  return found[1]
    .replaceAll("_", "")
    .split("**")
    .map(Number)
    .reduceRight((power, base) => base ** power);
}

/** What `start({ procs: 4 })` reserves. */
async function defaultShape() {
  const options = pathToFileURL(join(root, "packages/workers/dist/options.js"));
  const { checkOptions } = await import(options.href);
  const { procs, maxMachines, maxGoroutines } = checkOptions({ procs: 4 });
  const maxObjects = numberIn("runtime.ts", "MAX_OBJECTS");
  return { procs, maxMachines, maxGoroutines, maxObjects, slabBytes: numberIn("runtime.ts", "SLAB_BYTES") };
}

function bytes(words) {
  const size = words * 4;
  if (size >= 2 ** 20) return `${(size / 2 ** 20).toFixed(1)} MiB`;
  return size >= 1024 ? `${(size / 1024).toFixed(1)} KiB` : `${size} B`;
}

/** Regions in their order, as `layoutFor` places them. */
function regionTable(layout, shape, { HEADER_BASE, SCHED_BASE, SCHED_WORDS }) {
  const { words, ...bases } = layout;
  const places = [["header", HEADER_BASE], ["scheduler", SCHED_BASE], ...Object.entries(bases)].sort(
    (a, b) => a[1] - b[1],
  );
  const rows = places.map(([name, base], i) => {
    const end = name === "scheduler" ? SCHED_BASE + SCHED_WORDS : (places[i + 1]?.[1] ?? words);
    return `| ${name} | ${base} | ${bytes(end - base)} |`;
  });
  const { procs, maxMachines, maxGoroutines, maxObjects, slabBytes } = shape;
  return [
    `With ${procs} processors, ${maxMachines} machines, ${maxGoroutines} goroutines, ${maxObjects} sync objects and a slab of`,
    `${slabBytes / 2 ** 20} MiB, the defaults of \`start\` on a computer with ${procs} cores:`,
    "",
    "| region | first word | reserved |",
    "| --- | ---: | ---: |",
    ...rows,
    `| in all | | ${bytes(words)} |`,
    "",
    "Reserved is not used: a page costs memory from the first time it is written.",
  ];
}

// ── the page ──

const cell = (text) => (text ?? "").replaceAll("|", "\\|");

function wordTable(words) {
  return [
    "| word | name | what it is for | written by | read by | at first |",
    "| ---: | --- | --- | --- | --- | --- |",
    ...words.map(
      ({ name, value, text, writer, reader, initial }) =>
        `| ${value} | \`${name}\` | ${cell(text)} | ${cell(writer)} | ${cell(reader)} | ${cell(initial ?? "0")} |`,
    ),
  ];
}

function numberTable(numbers) {
  return [
    "| name | value | |",
    "| --- | ---: | --- |",
    ...numbers.map(({ name, value, text }) => `| \`${name}\` | ${value} | ${cell(text)} |`),
  ];
}

function groupSection(group) {
  const words = group.constants.filter(isWord);
  const numbers = group.constants.filter((constant) => !isWord(constant));
  const lines = group.text === "" ? [] : [group.text, ""];
  if (numbers.length > 0) lines.push(...numberTable(numbers), "");
  if (words.length > 0) lines.push(...wordTable(words), "");
  return lines;
}

function packedSection(group, drawn) {
  return group.constants.flatMap(({ name }) => {
    const packed = drawn.get(name);
    if (packed === undefined) return [];
    return [`\`${name}\`, as ${packed.module} draws it:`, "", "```", packed.drawing, "```", ""];
  });
}

function regionSection(region, drawn) {
  const lines = region.name === "" ? [] : [`## Region: ${region.name}`, ""];
  for (const group of region.groups) lines.push(...groupSection(group), ...packedSection(group, drawn));
  return lines;
}

async function page() {
  const { story, regions, exports } = await readLayout();
  const shape = await defaultShape();
  const names = new Set(allConstants(regions).map(({ name }) => name));
  const drawn = drawings(names);
  const lines = [
    "# Memory map",
    "",
    "<!-- Generated by scripts/memory-map.mjs from packages/core/src/memory/layout.ts. Edit that file, then run the script. -->",
    "",
    story,
    "",
    "A word's number is its place in its record; in the header and scheduler regions, its place in the whole memory. Names of",
    "modules are paths in packages/core/src; scripts/check-writers.mjs holds the written ones against the sources.",
    "",
    ...regionTable(exports.layoutFor(shape), shape, exports),
    "",
    ...regions.flatMap((region) => regionSection(region, drawn)),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

// ── comparing ──

const SHOWN = 20;

/** What differs between the first and the last line that do, at most `SHOWN` lines of each side. */
function difference(before, after) {
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  let first = 0;
  while (first < old.length && old[first] === fresh[first]) first++;
  let same = 0;
  while (same < Math.min(old.length, fresh.length) - first && old.at(-1 - same) === fresh.at(-1 - same))
    same++;
  const side = (sign, lines) =>
    lines
      .slice(first, lines.length - same)
      .slice(0, SHOWN)
      .map((line) => `${sign} ${line}`);
  return [`line ${first + 1}:`, ...side("-", old), ...side("+", fresh)].join("\n");
}

const text = await page();
if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
} else {
  const present = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (present !== text) {
    console.error(
      "docs/memory-map.md is not what packages/core/src/memory/layout.ts says; run `node scripts/memory-map.mjs`:",
    );
    console.error(difference(present, text));
    process.exit(1);
  }
}
