/** `npm run bench -- [case…] [--all] [--rounds N] [--ms N] [--report] [--list]` */
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { measureStepsPerUs } from "./burn.ts";
import type { Case } from "./case.ts";
import { cases, selectCases } from "./cases/index.ts";
import { buildGoSide } from "./go.ts";
import { describeMachine } from "./machine.ts";
import { writeReport } from "./report.ts";
import { type RunnerOptions, runCase, sidesOf } from "./runner.ts";
import { type Measured, renderForTerminal, resultRows } from "./table.ts";

const usage = `usage: npm run bench -- [case…] [options]

  --all        every case; without it and without names, a short selection
  --rounds N   rounds in which the sides take turns (5)
  --ms N       how long a side takes samples, in milliseconds (1000)
  --any-load   take every round, however busy the machine is, instead of repeating disturbed ones
  --report     write packages/bench/results/latest.json and docs/benchmarks.md
  --list       name the cases and end
`;

interface Invocation {
  readonly selected: readonly Case[];
  readonly rounds: number;
  readonly budgetMs: number;
  readonly keepDisturbed: boolean;
  readonly report: boolean;
}

function parseInvocation(args: string[]): Invocation | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      all: { type: "boolean", default: false },
      rounds: { type: "string", default: "5" },
      ms: { type: "string", default: "1000" },
      "any-load": { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  if (values.list) return void process.stdout.write(cases.map((one) => `${one.name}\n`).join(""));
  return {
    selected: selectCases(positionals, values.all),
    rounds: positiveInteger("--rounds", values.rounds),
    budgetMs: positiveInteger("--ms", values.ms),
    keepDisturbed: values["any-load"],
    report: values.report,
  };
}

function positiveInteger(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${option}: ${text} is not an integer of at least 1`);
  return value;
}

async function measure({ selected, rounds, budgetMs, keepDisturbed, report }: Invocation): Promise<void> {
  const go = await buildGoSide();
  const context = { budgetMs, stepsPerUs: measureStepsPerUs() };
  const progress = openProgress(selected.reduce((sum, one) => sum + sidesOf(one, go).length, 0) * rounds);
  const options: RunnerOptions = { rounds, keepDisturbed, context, go, onSide: progress.step };
  const measured: Measured[] = [];
  for (const one of selected) measured.push({ of: one, result: await runCase(one, options) });
  progress.close();

  process.stdout.write(`${renderForTerminal(resultRows(measured))}\n`);
  for (const line of failureLines(measured)) process.stderr.write(`${line}\n`);
  if (go === undefined) process.stderr.write("go is not on the PATH: its column is left out\n");
  if (report) {
    const date = new Date().toISOString().slice(0, 10);
    await writeReport({ machine: await describeMachine(go), date, rounds, budgetMs, measured });
  }
}

function failureLines(measured: readonly Measured[]): string[] {
  return measured.flatMap(({ result }) =>
    Object.entries(result.failures).map(([side, reason]) => `${result.name}, ${side}: ${reason}`),
  );
}

interface Progress {
  readonly step: (caseName: string, side: string) => void;
  readonly close: () => void;
}

/** A bar on a terminal, nothing elsewhere. Repeated rounds let it grow. */
function openProgress(steps: number): Progress {
  if (!process.stderr.isTTY) return { step: () => {}, close: () => {} };
  let done = 0;
  const bar = new SingleBar({
    format: "{bar} {value}/{total} {label}",
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(steps, 0, { label: "" });
  return {
    step(caseName, side) {
      done += 1;
      if (done > bar.getTotal()) bar.setTotal(done);
      bar.update(done, { label: `${caseName}, ${side}` });
    },
    close: () => bar.stop(),
  };
}

try {
  const invocation = parseInvocation(process.argv.slice(2));
  if (invocation !== undefined) await measure(invocation);
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
