/** `npm run stress:soak`: a mixed load at a constant rate. Ends with status 1 if anything grows. */

import { parseArgs } from "node:util";
import Table from "cli-table3";
import { growthIn, lowestOf, type Sample } from "./stress/growth.ts";
import { soak } from "./stress/soak.ts";

/** Lines of progress in between. */
const PRINT_EVERY = 15;

function describe(sample: Sample): string {
  return Object.entries(sample)
    .map(([what, value]) => `${what} ${Math.round(value as number)}`)
    .join(", ");
}

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, procs: { type: "string", default: "2" } },
});
let count = 0;
const samples = await soak(Number(values.minutes), Number(values.procs), (sample) => {
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
process.exitCode = grown.length === 0 ? 0 : 1;
