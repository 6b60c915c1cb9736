/** A thread of workerpool. */
import workerpool from "workerpool";
import { burnSteps, echo } from "../tasks.ts";

workerpool.worker({ echo, burnSteps });
