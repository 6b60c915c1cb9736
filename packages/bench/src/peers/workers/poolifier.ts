/** A thread of poolifier. */
import { ThreadWorker } from "poolifier";
import { burnSteps, echo } from "../tasks.ts";

export default new ThreadWorker<number, number>({
  echo: (value) => echo(value as number),
  burnSteps: (steps) => burnSteps(steps as number),
});
