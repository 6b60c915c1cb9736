// Adds up what `npm test` and `npm run lint` wrote down and ends with the line `N passed, N failed`.
// `test=1` says that the test run ended with status 1: without a failure in its report, that counts as one.

import { readReport } from "./steps.mjs";

let passed = 0;
let failed = 0;
for (const argument of process.argv.slice(2)) {
  const [name, status] = argument.split("=");
  const report = readReport(name) ?? { passed: 0, failed: 0 };
  passed += report.passed;
  failed += report.failed === 0 && status !== "0" ? 1 : report.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
