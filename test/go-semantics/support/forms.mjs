/** One program, in every form in which a body can be written. */

import { goroutine } from "heddle";

/** The kinds of bodies. */
export const KINDS = ["generator", "async", "plain"];

/** Runs a program that yields operations with `yield*`. */
export function* driveByYield(program) {
  let step = program.next();
  while (!step.done) {
    let outcome;
    try {
      outcome = yield* step.value;
    } catch (error) {
      step = program.throw(error);
      continue;
    }
    step = program.next(outcome);
  }
  return step.value;
}

/** Runs it with `await`: in an async body or on the host. */
export async function driveByAwait(program) {
  let step = program.next();
  while (!step.done) {
    let outcome;
    try {
      outcome = await step.value;
    } catch (error) {
      step = program.throw(error);
      continue;
    }
    step = program.next(outcome);
  }
  return step.value;
}

/** Runs it with `block()`. */
export function driveByBlock(program) {
  let step = program.next();
  while (!step.done) {
    let outcome;
    try {
      outcome = step.value.block();
    } catch (error) {
      step = program.throw(error);
      continue;
    }
    step = program.next(outcome);
  }
  return step.value;
}

/** Declares a program, a generator function that yields operations, as a body of each kind. */
export function inEveryForm(module, program) {
  const { name } = program;
  return {
    generator: goroutine(
      module,
      function* (...args) {
        return yield* driveByYield(program(...args));
      },
      `${name} (generator)`,
    ),
    async: goroutine(module, async (...args) => driveByAwait(program(...args)), `${name} (async)`),
    plain: goroutine(module, (...args) => driveByBlock(program(...args)), `${name} (plain)`),
    /** On the host, in an entered runtime. */
    host: (...args) => driveByAwait(program(...args)),
  };
}
