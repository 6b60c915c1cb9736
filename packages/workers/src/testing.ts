/** What tests of programs need beside the public package. */

export { type LeakCheckOptions, LeakError, leakCheck } from "./leak-check.ts";
