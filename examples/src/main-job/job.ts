import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sideNames } from "./sides/index.ts";
import { type Selection, selectFiles } from "./walk.ts";

const usage = `usage: npm start -- [options]

  --root DIR         where to look for files (this workspace's node_modules)
  --files N          at most so many (4000)
  --megabytes N      and at most so much in all (40)
  --largest N        and none of more kilobytes than this (512)
  --sides A,B,…      of serial, piscina, heddle (all of them)
  --rounds N         how often the sides take turns (3)
`;

/** What is to be counted, and by whom. */
export interface Job {
  readonly root: string;
  readonly selection: Selection;
  readonly sideNames: readonly string[];
  readonly rounds: number;
}

/** What the arguments ask for; `undefined` when they asked for help, which has been printed. */
export function parseJob(args: string[]): Job | undefined {
  const { values } = parseArgs({
    args,
    options: {
      root: { type: "string" },
      files: { type: "string", default: "4000" },
      megabytes: { type: "string", default: "40" },
      largest: { type: "string", default: "512" },
      rounds: { type: "string", default: "3" },
      sides: { type: "string", default: sideNames.join(",") },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  const limits = {
    files: positive("--files", values.files),
    megabytes: positive("--megabytes", values.megabytes),
    fileKilobytes: positive("--largest", values.largest),
  };
  const root = resolve(values.root ?? fileURLToPath(new URL("../../../node_modules", import.meta.url)));
  const selection = selectFiles(root, limits);
  if (selection.paths.length === 0) throw new RangeError(`--root: no JavaScript files under ${root}`);
  return {
    root,
    selection,
    sideNames: knownSides(values.sides),
    rounds: positive("--rounds", values.rounds),
  };
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`${option}: ${text} is not a number above 0`);
  return value;
}

function knownSides(text: string): string[] {
  const names = text.split(",");
  const unknown = names.filter((name) => !sideNames.includes(name));
  if (unknown.length > 0) {
    throw new RangeError(`--sides: unknown ${unknown.join(", ")}; there are ${sideNames.join(", ")}`);
  }
  return names;
}
