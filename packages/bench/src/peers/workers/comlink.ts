/** A thread that comlink talks to. */
import { parentPort } from "node:worker_threads";
import { expose } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { burnSteps, echo } from "../tasks.ts";

if (parentPort !== null) expose({ echo, burnSteps }, nodeEndpoint(parentPort));
