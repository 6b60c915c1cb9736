/** A thread of nanothreads, whose pools know one function: it is told which task is meant. */
import { parentPort } from "node:worker_threads";
import { workerInit } from "nanothreads";
import { burnSteps, echo } from "../tasks.ts";

const tasks = { echo, burnSteps };

workerInit(parentPort, (name: keyof typeof tasks, argument: number) => tasks[name](argument));
