/** What tests of programs need beside the public package. */

export type { MemoryAudit } from "@heddle/core";
export { type LeakCheckOptions, LeakError, leakCheck } from "./leak-check.ts";
export { audit, dump, isQuiet, killMachine, killSysmon } from "./look-inside.ts";
export { type ChaosOptions, startWithChaos } from "./start-with-chaos.ts";
