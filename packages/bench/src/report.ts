/** The page of the report as text. */
import type { Case, Section } from "./case.ts";
import type { Chart } from "./charts.ts";
import { verdictsOn } from "./figures.ts";
import type { Machine } from "./machine.ts";
import { type Measured, type ResultTable, renderAsMarkdown, resultTables, sideTitles } from "./table.ts";
import { DISTURBED } from "./turns.ts";

export interface Report {
  readonly machine: Machine;
  /** ISO date on which the run ended. */
  readonly date: string;
  readonly rounds: number;
  readonly budgetMs: number;
  readonly measured: readonly Measured[];
}

/** `charts` are named relative to the page, in the folder `benchmarks`. */
export function renderPage(report: Report, charts: readonly Chart[]): string {
  const tables = resultTables(report.measured, "spreads");
  return `${[
    "# Benchmarks",
    "<!-- Written by `npm run bench -- --report`; the text is in packages/bench/src/report.ts. -->",
    introduction,
    machineList(report),
    "## Figures",
    legend(report.measured),
    goalSummary(report.measured),
    ...tables.flatMap((table) => sectionOf(table, report)),
    "## Charts",
    ...charts.map(({ name, title }) => `![${title}](benchmarks/${name}.svg)`),
    "## Remarks",
    remarks(report.measured),
    "## Cases",
    report.measured.map(({ of }) => scenarioLine(of)).join("\n"),
    "## Method",
    method(report),
    "## Measuring again",
    reproduction,
  ].join("\n\n")}\n`;
}

const introduction = `Heddle beside what one would use instead: Go's scheduler, plain promises and Effect's fibers for work inside the runtime, and the
thread pools of the registry for work that a Node program hands out. The goals are the bar this project has set itself; what is not
reached is explained in [performance.md](performance.md).`;

const titles: Readonly<Record<Section, string>> = {
  "inside the runtime": "Inside the runtime",
  "lists of work": "Lists of work",
  "from the host": "From the host",
  payloads: "Payloads",
  processors: "Processors",
};

function sectionOf(table: ResultTable, report: Report): string[] {
  const explanation = table.section === "processors" ? [aboutProcessors(report)] : [];
  return [`### ${titles[table.section]}`, ...explanation, renderAsMarkdown(table)];
}

function aboutProcessors({ machine: { cores } }: Report): string {
  return `This machine has ${cores} cores. Up to ${cores} P, a row says what another processor brings; beyond, nothing can become
faster, and what a row is worse than that of ${cores} P is what it costs to have more machines than cores.`;
}

function legend(measured: readonly Measured[]): string {
  return `A cell holds the median of ${roundsText(measured)} and, in brackets, the smallest and the largest. Below a peer's figure stands, after ×, Heddle's
figure over the peer's, taken round by round. Rates and speed-ups are better when larger, all else when smaller.`;
}

/** Cases may have had fewer rounds than others, when time ran short. */
function roundsText(measured: readonly Measured[]): string {
  const counts = measured.map(({ result }) => result.rounds.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `${least === most ? most : `${least} to ${most}`} rounds`;
}

function goalSummary(measured: readonly Measured[]): string {
  const verdicts = measured.flatMap(({ of, result }) =>
    verdictsOn(of, result).map(({ met }) => ({ name: of.name, met })),
  );
  const missed = [...new Set(verdicts.filter(({ met }) => met === false).map(({ name }) => name))];
  const count = `${verdicts.filter(({ met }) => met).length} of ${verdicts.length} goals are met`;
  return missed.length === 0 ? `${count}.` : `${count}; not met: ${missed.join(", ")}.`;
}

/**
 * What the reader must know about single figures: settings that were chosen, sides that failed, rounds that
 * were disturbed or thrown away.
 */
function remarks(measured: readonly Measured[]): string {
  const lines = measured.flatMap(({ result }) => [
    ...Object.entries(result.notes).map(([side, note]) => `- ${result.name}, ${side}: ${note}.`),
    ...Object.entries(result.failures).map(
      ([side, reason]) => `- ${result.name}, ${side} failed: ${reason}.`,
    ),
  ]);
  return [...lines, disturbedLine(measured), discardedLine(measured)].join("\n");
}

function disturbedLine(measured: readonly Measured[]): string {
  const disturbed = measured.flatMap(({ result: { name, rounds } }) => {
    const share = Math.max(0, ...rounds.map((round) => round.foreignShare));
    return share > DISTURBED ? [`${name} (up to ${Math.round(share * 100)} %)`] : [];
  });
  const limit = `${DISTURBED * 100} % of the cores`;
  return disturbed.length === 0
    ? `- In no round that counts did other processes take more than ${limit}.`
    : `- Other processes took more than ${limit} during a round of: ${disturbed.join(", ")}.`;
}

function discardedLine(measured: readonly Measured[]): string {
  const discarded = measured.reduce((sum, { result }) => sum + result.discarded, 0);
  return `- ${discarded} rounds were thrown away and repeated because other processes kept the machine busy.`;
}

function scenarioLine({ name, scenario, peers }: Case): string {
  const sides = (Object.keys(peers) as (keyof typeof peers)[]).map((side) => sideTitles[side]);
  return `- **${name}**: ${scenario}${sides.length === 0 ? "" : ` Beside ${sides.join(", ")}.`}`;
}

function machineList({ machine, date }: Report): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`,
    `- ${versions.join(", ")}`,
    `- ${machine.commit === undefined ? "" : `commit ${machine.commit}, `}${date}`,
  ].join("\n");
}

function method({ rounds, budgetMs }: Report): string {
  return `- Every side of every case runs alone in a fresh process, which takes samples for ${budgetMs} ms; the sides take turns for up to ${rounds} rounds, every
  other one backwards.
- A round during which other processes took more than ${DISTURBED * 100} % of the cores is repeated, at most as often as there are rounds; then the least
  disturbed ones count. (With \`--any-load\` every round counts.)
- What happens inside the runtime is timed inside one goroutine over thousands of operations and divided by their number; the mean is
  taken, so that garbage collection is in it, on Go's side as well. A quarter of the time is spent before, to warm up.
- What the host sees (throughput, latency) is timed by tinybench around the call, or as the time of a whole pass.
- A task of a list is a number of steps and not a time on the clock, so sharing a core gains nothing. Speed-ups are taken within one
  process, which does the list serially and in parallel in turn.
- Pools have a thread per core and are otherwise as their documentation shows them; Piscina as it comes may start more.
- Piscina, tuned: for tiny tasks the best of twelve settings (threads, way of waiting, tasks per thread) in a trial just before the
  measurement; otherwise a thread per core from the start and no timing of its own.
- comlink calls functions in one thread; here there is one of it per core, and the calls go to them in turn.
- Go's programs use the fastest form that was found for each case: a WaitGroup where several are awaited, a channel where one is.
- Promises and Effect's fibers run in one thread and are measured where one thread is what the case is about. Plain promises have no
  channels: a small queue stands for them.`;
}

const reproduction = `\`\`\`sh
npm run bench                       # a short selection, a table
npm run bench -- fib gosched/100    # these cases
npm run bench -- --all --report     # everything; rewrites this page, its charts and packages/bench/results/latest.json
npm run bench:compare -- main fib   # this tree beside another revision
\`\`\`

Go's columns need \`go\` on the PATH (Debian: \`golang-go\`) and are left out without it. Close what else uses the processor first.`;
