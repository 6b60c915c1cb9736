export type { RuntimeOptions } from "./options.ts";
export * from "./public-core.ts";
export type { Runtime } from "./runtime-types.ts";
export { run, start } from "./start.ts";
