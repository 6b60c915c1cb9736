export type { RuntimeOptions } from "./options.ts";
export * from "./public-core.ts";
export { run, start } from "./runtime.ts";
export type { Runtime } from "./runtime-types.ts";
