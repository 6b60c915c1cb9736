/**
 * A program in which goroutines panic beside others that run and wait: one runtime after the other, for each of the cases. Prints what everybody was told, as one line of JSON for each.
 * Usage: panic-main.mjs PROCS CASES, where CASES is a JSON array of [what, kind]
 */

import { chan, start } from "heddle";
import { computes, starts, waitGroupPanics, waits } from "./panic.mjs";

function told(error) {
  const { cause } = error;
  return {
    name: error.name,
    code: error.code,
    cause: cause instanceof Error ? `${cause.name}: ${cause.message}` : cause,
    causeOfCause: cause?.cause?.message,
  };
}

/** Everybody who waits for something of the runtime when the panic comes. */
function pendingOf(runtime, what, kind) {
  return [
    runtime.run(computes),
    runtime.run(waits.generator),
    runtime.run(waits.async),
    runtime.run(waits.plain),
    runtime.spawn(waits.generator),
    runtime.enter(() => chan().recv()),
    what === "in a WaitGroup" ? runtime.run(waitGroupPanics) : runtime.run(starts, what, kind),
  ];
}

async function panic(procs, what, kind) {
  const runtime = await start({ procs });
  const outcomes = await Promise.allSettled(pendingOf(runtime, what, kind));
  const errors = outcomes.map((outcome) => told(outcome.reason ?? new Error("not rejected")));
  const later = await runtime.run(computes).catch((error) => error.name);
  await runtime.close();
  return { errors, closed: runtime.closed, later };
}

const [procs, cases] = process.argv.slice(2).map((argument) => JSON.parse(argument));
for (const [what, kind] of cases) {
  console.error(`<< ${what}, ${kind}`);
  console.log(JSON.stringify(await panic(procs, what, kind)));
}
