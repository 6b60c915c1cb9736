import { fileURLToPath } from "node:url";
import type { Case, Context, Sample } from "../case.ts";
import { compareInTurn } from "../measure.ts";

/** A part of what `npm start` reads: a pass is to take a fraction of a second. */
const LIMITS = { files: 500, megabytes: 10, fileKilobytes: 512 };
const root = fileURLToPath(new URL("../../../../node_modules", import.meta.url));

async function beside(side: "heddle" | "piscina", context: Context): Promise<Sample[]> {
  const { openSide, selectFiles } = await import("@heddle/examples/main-job");
  const { paths } = selectFiles(root, LIMITS);
  await using serial = await openSide("serial");
  await using parallel = await openSide(side);
  const count = (one: typeof serial) => one.count(paths, () => {});
  const { serialMs, parallelMs } = await compareInTurn(
    context,
    () => count(serial),
    () => count(parallel),
  );
  return [{ value: serialMs / parallelMs }];
}

export const mainJob: readonly Case[] = [
  {
    name: "main-job",
    section: "lists of work",
    scenario: `The main job of npm start with ${LIMITS.files} files: a goroutine, or a task, per file that is read, parsed and its identifiers counted; with a thread per core; times faster than serially.`,
    unit: "× serial",
    goals: [],
    short: false,
    run: (context) => beside("heddle", context),
    peers: { piscina: (context) => beside("piscina", context) },
  },
];
