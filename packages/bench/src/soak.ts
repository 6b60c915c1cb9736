/** `npm run stress:soak`: a mixed load at a constant rate. Ends with status 1 if anything grows. */

import { parseArgs } from "node:util";
import Table from "cli-table3";
import { integerOf, numberOf } from "./arguments.ts";
import { growthIn, lowestOf, type Sample } from "./stress/growth.ts";
import { soak } from "./stress/soak.ts";

const usage = `npm run stress:soak -- [options]

  --minutes M     how long to go on; default 10
  --procs P       processors; default 2
`;

/** Lines of progress in between. */
const PRINT_EVERY = 15;

function describe(sample: Sample): string {
  return Object.entries(sample)
    .map(([what, value]) => `${what} ${Math.round(value as number)}`)
    .join(", ");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "10" },
      procs: { type: "string", default: "2" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  const minutes = numberOf("--minutes", values.minutes, 0.1, 100_000);
  const procs = integerOf("--procs", values.procs, 1, 256);
  let count = 0;
  const samples = await soak(minutes, procs, (sample) => {
    if (count++ % PRINT_EVERY === 0) process.stderr.write(`${describe(sample)}\n`);
  });
  const table = new Table({
    head: ["", "second third", "last third"],
    style: { head: [], border: [], compact: true },
  });
  for (const what of Object.keys(samples[0] ?? {}) as (keyof Sample)[])
    table.push([what, ...lowestOf(samples, what).map((lowest) => lowest.toFixed(1))]);
  process.stdout.write(`${samples.length} samples, the lowest of each third\n${table.toString()}\n`);
  const grown = growthIn(samples);
  for (const line of grown) process.stdout.write(`grows: ${line}\n`);
  if (grown.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`stress:soak: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
