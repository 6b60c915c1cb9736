/** `npm run bench:compare -- REV [case…] [options]`: this tree and another revision in alternation. */
import { parseArgs } from "node:util";
import { integerOf } from "./arguments.ts";
import { measureStepsPerUs } from "./burn.ts";
import type { Case, Context } from "./case.ts";
import { selectCases } from "./cases/index.ts";
import { type Compared, movementOf, renderMovements } from "./comparison.ts";
import { openRevision } from "./other-revision.ts";
import { openProgress, type Progress } from "./progress.ts";
import { runNodeSide, sideProgram } from "./side-process.ts";
import { type TurnOptions, takeTurns } from "./turns.ts";

const usage = `usage: npm run bench:compare -- REV [case…] [options]

  --all        every case; without it and without names, a short selection
  --rounds N   rounds in which the two take turns (8; with fewer than 5 nothing can be told from noise)
  --ms N       how long a side takes samples, in milliseconds (200)
  --any-load   take every round, however busy the machine is, instead of repeating disturbed ones
`;

interface Invocation extends TurnOptions {
  readonly revision: string;
  readonly selected: readonly Case[];
  readonly budgetMs: number;
}

function parseInvocation(args: string[]): Invocation | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      all: { type: "boolean", default: false },
      rounds: { type: "string", default: "8" },
      ms: { type: "string", default: "200" },
      "any-load": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [revision, ...names] = positionals;
  if (values.help || revision === undefined) return void process.stdout.write(usage);
  return {
    revision,
    selected: selectCases(names, values.all),
    rounds: integerOf("--rounds", values.rounds, 1, 1e9),
    budgetMs: integerOf("--ms", values.ms, 1, 1e9),
    keepDisturbed: values["any-load"],
  };
}

async function compare(invocation: Invocation): Promise<void> {
  const { revision, selected, rounds, budgetMs } = invocation;
  process.stderr.write(`building ${revision} …\n`);
  await using other = await openRevision(revision);
  const context = { budgetMs, stepsPerUs: measureStepsPerUs() };
  const progress = openProgress(2 * selected.length * rounds);
  const compared: Compared[] = [];
  for (const of of selected) {
    const turns = await takeTurns(sidesOf(of, other.sideProgram, context, progress), invocation);
    compared.push({ of, turns });
  }
  progress.close();
  process.stdout.write(`${renderMovements(compared.map(movementOf), `${revision} (${other.commit})`)}\n`);
  for (const line of failureLines(compared)) process.stderr.write(`${line}\n`);
}

function sidesOf(of: Case, otherProgram: string, context: Context, progress: Progress) {
  const programs = [
    ["this tree", sideProgram],
    ["other", otherProgram],
  ] as const;
  return programs.map(([name, program]) => ({
    name,
    measure: () => runNodeSide(program, of.name, "heddle", context),
    ended: () => progress.step(`${of.name}, ${name}`),
  }));
}

function failureLines(compared: readonly Compared[]): string[] {
  return compared.flatMap(({ of, turns }) =>
    Object.entries(turns.failures).map(([side, reason]) => `${of.name}, ${side}: ${reason}`),
  );
}

try {
  const invocation = parseInvocation(process.argv.slice(2));
  if (invocation !== undefined) await compare(invocation);
} catch (error) {
  process.stderr.write(`bench:compare: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
