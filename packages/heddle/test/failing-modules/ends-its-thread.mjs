import { isMainThread } from "node:worker_threads";

if (!isMainThread) process.exit(7);

export function neverRuns() {
  return "ran";
}

export default neverRuns;
