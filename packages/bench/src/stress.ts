/** `npm run stress`: plays scenarios against the scheduler for as long as it is told to. Ends with status 1 if anything did not hold. */

import { Conductor } from "./stress/conductor.ts";
import { parseInvocation } from "./stress/options.ts";
import { renderFailure, renderSmaller, renderTable, writeReport } from "./stress/report.ts";

async function main(): Promise<void> {
  const invocation = parseInvocation(process.argv.slice(2));
  if (invocation === undefined) return;
  process.stdout.write(`seed ${invocation.seed}, Node ${process.version}\n`);
  const conductor = new Conductor(invocation, {
    failed: (first) => process.stdout.write(`\n${renderFailure(first)}\n`),
    found: (finding) => process.stdout.write(`\n${renderSmaller(finding)}\n\n`),
  });
  const { perScenario, all, findings } = await conductor.conduct();
  process.stdout.write(`${renderTable(perScenario, all)}\n`);
  await writeReport(invocation, perScenario, all, findings);
  if (findings.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`stress: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
