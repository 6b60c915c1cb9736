export { start, run } from "./runtime.ts";
export type { Runtime } from "./runtime-types.ts";
export type { RuntimeOptions } from "./options.ts";
export * from "./public-core.ts";
