import { mkdir, writeFile } from "node:fs/promises";
import type { Case, SideName } from "./case.ts";
import { figuresOf, spreadOf, verdictsOn } from "./figures.ts";
import type { Machine } from "./machine.ts";
import { type Measured, renderAsMarkdown, resultRows } from "./table.ts";

const results = new URL("../results/", import.meta.url);
const page = new URL("../../../docs/benchmarks.md", import.meta.url);

export interface Report {
  readonly machine: Machine;
  /** ISO date on which the run ended. */
  readonly date: string;
  readonly rounds: number;
  readonly budgetMs: number;
  readonly measured: readonly Measured[];
}

/** Writes `results/latest.json` and `docs/benchmarks.md`. */
export async function writeReport(report: Report): Promise<void> {
  await mkdir(results, { recursive: true });
  await mkdir(new URL(".", page), { recursive: true });
  await writeFile(new URL("latest.json", results), `${JSON.stringify(asJson(report), undefined, 2)}\n`);
  await writeFile(page, renderPage(report));
}

function asJson({ measured, ...run }: Report): object {
  return {
    ...run,
    cases: measured.map(({ of, result }) => ({
      ...result,
      unit: of.unit,
      spreads: Object.fromEntries(
        (["heddle", ...Object.keys(of.peers)] as SideName[]).map((side) => [
          side,
          spreadOf(figuresOf(result, side)),
        ]),
      ),
      verdicts: verdictsOn(of, result),
    })),
  };
}

export function renderPage(report: Report): string {
  return `${[
    "# Benchmarks",
    "<!-- Written by `pnpm bench --report`; the text is in packages/bench/src/report.ts. -->",
    introduction,
    "## Figures",
    renderAsMarkdown(resultRows(report.measured)),
    legend(report),
    ...remarks(report.measured),
    "## Cases",
    report.measured.map(({ of }) => scenarioLine(of)).join("\n"),
    "## Machine",
    machineList(report),
    "## Method",
    method,
    "## Measuring again",
    reproduction,
  ].join("\n\n")}\n`;
}

const introduction = `Heddle beside what one would use instead: Go's scheduler for work inside the runtime, and the thread pools of the
registry for work that a Node program hands out. The goals are the bar this project has set itself.`;

function legend({ rounds }: Report): string {
  return `A cell holds the median of ${rounds} rounds and, in brackets, the smallest and the largest. A ratio is Heddle's figure over the
peer's of the same round. Rates and speed-ups are better when larger, all else when smaller.`;
}

/**
 * What the reader must know about single figures: settings that were chosen, sides that failed, rounds that
 * were disturbed.
 */
function remarks(measured: readonly Measured[]): string[] {
  const lines = measured.flatMap(({ result }) => [
    ...Object.entries(result.notes).map(([side, note]) => `- ${result.name}, ${side}: ${note}.`),
    ...Object.entries(result.failures).map(
      ([side, reason]) => `- ${result.name}, ${side} failed: ${reason}.`,
    ),
    ...disturbance(result.name, Math.max(...result.rounds.map((round) => round.foreignShare))),
  ]);
  return lines.length === 0 ? [] : [lines.join("\n")];
}

function disturbance(name: string, share: number): string[] {
  return share > 0.05
    ? [`- ${name}: other processes took up to ${Math.round(share * 100)} % of the machine during a round.`]
    : [];
}

function scenarioLine({ name, scenario }: Case): string {
  return `- **${name}**: ${scenario}`;
}

function machineList({ machine, date }: Report): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`,
    `- ${versions.join(", ")}`,
    `- ${machine.commit === undefined ? "" : `commit ${machine.commit}, `}${date}`,
  ].join("\n");
}

const method = `- Every side of every case runs alone in a fresh process; the sides take turns, round after round.
- What happens inside the runtime is timed inside one goroutine over thousands of operations and divided by their number; the mean is
  taken, so that garbage collection is in it, on Go's side as well. A quarter of the time is spent before, to warm up.
- What the host sees (throughput, latency) is timed by tinybench around the call, or as the time of a whole pass.
- A task of a list is a number of steps and not a time on the clock, so sharing a core gains nothing. Speed-ups are taken within one
  process, which does the list serially and in parallel in turn.
- Piscina, tuned: for tiny tasks the best of twelve settings (threads, way of waiting, tasks per thread) in a trial just before the
  measurement; otherwise a thread per core from the start and no timing of its own.
- Go's programs use the fastest form that was found for each case: a WaitGroup where several are awaited, a channel where one is.
- A round during which other processes took more than 5 % of the cores is repeated, at most as often as there are rounds.`;

const reproduction = `\`\`\`sh
npm run bench                       # a short selection, a table
npm run bench -- fib gosched/100    # these cases
npm run bench -- --all --report     # everything; rewrites this page and packages/bench/results/latest.json
\`\`\`

Go's columns need \`go\` on the PATH (Debian: \`golang-go\`) and are left out without it. Close what else uses the processor first.`;
