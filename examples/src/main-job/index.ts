/** The main job for others to measure. */
export type { Side } from "./side.ts";
export { openSide } from "./sides/index.ts";
export { selectFiles } from "./walk.ts";
