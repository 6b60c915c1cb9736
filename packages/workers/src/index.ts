export { start, run, Runtime } from "./runtime.ts";
export type { RuntimeOptions } from "./options.ts";
export * from "./public-core.ts";
