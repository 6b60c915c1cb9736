/** `npm run bench -- [case…] [options]`; `--help` names them. */
import { parseArgs } from "node:util";
import { integerOf } from "./arguments.ts";
import { measureStepsPerUs } from "./burn.ts";
import type { Case } from "./case.ts";
import { cases, selectCases } from "./cases/index.ts";
import { buildGoSide, type GoToolchain } from "./go.ts";
import { describeMachine } from "./machine.ts";
import { openProgress } from "./progress.ts";
import { renderAgain, writeReport } from "./report-files.ts";
import { type RunnerOptions, runCase, sidesOf } from "./runner.ts";
import { type Measured, renderForTerminal, resultTables } from "./table.ts";
import { roundsThatFit } from "./time-limit.ts";

const usage = `usage: npm run bench -- [case…] [options]

  --all        every case; without it and without names, a short selection
  --rounds N   rounds in which the sides take turns (3)
  --ms N       how long a side takes samples, in milliseconds (200)
  --minutes N  how long all of it may take, about: later cases get fewer rounds when time runs short
  --any-load   take every round, however busy the machine is, instead of repeating disturbed ones
  --report     write packages/bench/results/latest.json, docs/benchmarks.md and its charts
  --render     write the page and the charts again from latest.json, without measuring
  --list       name the cases and end
`;

const MS_PER_MINUTE = 60_000;

interface Invocation {
  readonly selected: readonly Case[];
  readonly rounds: number;
  readonly budgetMs: number;
  readonly limitMs: number;
  readonly keepDisturbed: boolean;
  readonly report: boolean;
}

type Command = "help" | "list" | "render" | Invocation;

function parseCommand(args: string[]): Command {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      all: { type: "boolean", default: false },
      rounds: { type: "string", default: "3" },
      ms: { type: "string", default: "200" },
      minutes: { type: "string" },
      "any-load": { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      render: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  for (const command of ["help", "list", "render"] as const) if (values[command]) return command;
  return {
    selected: selectCases(positionals, values.all),
    rounds: integerOf("--rounds", values.rounds, 1, 1e9),
    budgetMs: integerOf("--ms", values.ms, 1, 1e9),
    limitMs:
      values.minutes === undefined
        ? Number.POSITIVE_INFINITY
        : integerOf("--minutes", values.minutes, 1, 1e9) * MS_PER_MINUTE,
    keepDisturbed: values["any-load"],
    report: values.report,
  };
}

async function obey(command: Command): Promise<void> {
  if (command === "help") process.stdout.write(usage);
  else if (command === "list") process.stdout.write(cases.map((one) => `${one.name}\n`).join(""));
  else if (command === "render") await renderAgain();
  else await measure(command);
}

async function measure(invocation: Invocation): Promise<void> {
  const { rounds, budgetMs, report } = invocation;
  const go = await buildGoSide();
  const measured = await sweep(invocation, go);

  for (const table of resultTables(measured, "medians"))
    process.stdout.write(`\n${table.section}\n${renderForTerminal(table)}\n`);
  process.stdout.write("\nA cell holds the median and, after ×, Heddle's figure over that of the peer.\n");
  for (const line of failureLines(measured)) process.stderr.write(`${line}\n`);
  if (go === undefined) process.stderr.write("go is not on the PATH: its column is left out\n");
  if (report) {
    const date = new Date().toISOString().slice(0, 10);
    await writeReport({ machine: await describeMachine(go), date, rounds, budgetMs, measured });
  }
}

/** The cases, one after the other. */
async function sweep(
  { selected, rounds, budgetMs, limitMs, keepDisturbed }: Invocation,
  go: GoToolchain | undefined,
): Promise<Measured[]> {
  const context = { budgetMs, stepsPerUs: measureStepsPerUs() };
  let sidesLeft = selected.reduce((sum, one) => sum + sidesOf(one, go).length, 0);
  const progress = openProgress(sidesLeft * rounds);
  let done = 0;
  const onSide = (caseName: string, side: string): void => {
    done += 1;
    progress.step(`${caseName}, ${side}`);
  };
  const options: RunnerOptions = { rounds, keepDisturbed, context, go, onSide };
  const measured: Measured[] = [];
  const began = performance.now();
  for (const one of selected) {
    const elapsedMs = performance.now() - began;
    const fitting = roundsThatFit(rounds, { elapsedMs, limitMs, done, sidesLeft });
    measured.push({ of: one, result: await runCase(one, { ...options, rounds: fitting }) });
    sidesLeft -= sidesOf(one, go).length;
  }
  progress.close();
  return measured;
}

function failureLines(measured: readonly Measured[]): string[] {
  return measured.flatMap(({ result }) =>
    Object.entries(result.failures).map(([side, reason]) => `${result.name}, ${side}: ${reason}`),
  );
}

try {
  await obey(parseCommand(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
