/** A thread of bthreads. */
import threads from "bthreads";
import { burnSteps, echo } from "../tasks.ts";

threads.parent.hook("echo", echo);
threads.parent.hook("burnSteps", burnSteps);
