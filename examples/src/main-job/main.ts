/**
 * The main job: counts the identifiers of the JavaScript files under `node_modules`, once serially, once on
 * Piscina, once on Heddle with a goroutine per file, and compares. `npm start` runs it; `npm start -- --help`
 * says what can be set.
 *
 * A single pass takes about a second, in which a busy machine can favour any side. So the three take turns
 * for a few rounds, and the table shows medians. A round before them warms all sides alike.
 */
import { compare } from "./compare.ts";
import { type Job, parseJob } from "./job.ts";
import { agree, describeSelection, renderProblems, renderTable } from "./report.ts";
import { emptyTally } from "./tally.ts";

/** What is wrong with the arguments is said without a stack. */
function readArguments(): Job | undefined {
  try {
    return parseJob(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function runJob(job: Job): Promise<void> {
  console.log(describeSelection(job.root, job.selection));
  const outcomes = await compare(job);
  console.log(renderTable(job.selection, outcomes));
  for (const line of renderProblems(outcomes[0]?.tally ?? emptyTally())) console.log(line);
  if (agree(outcomes)) return;
  console.error("The checksums differ.");
  process.exitCode = 1;
}

const job = readArguments();
if (job !== undefined) await runJob(job);
