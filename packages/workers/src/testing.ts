/** What tests of programs need beside the public package. */

export { LeakError, leakCheck, type LeakCheckOptions } from "./leak-check.ts";
