/** Stacks of errors as a program's author wants to see them. */

/** Where the scheduler's own modules are; where all of core is in one file, the folder above that. */
const OWN = import.meta.url.replace(/[^/]+\/[^/]+$/, "");

/** The engine's own frame for a generator's step: says nothing that the generator's frame does not. */
const STEP = /^\s+at (\S+\.)?next \(<anonymous>\)$/;

/**
 * Where microtasks were run, to go on with an async body. Below that come the frames of whoever ran them, which may be a body that has nothing to do with it, one that blocks the thread; and after them the
 * async functions that wait for this one.
 */
const CONTINUED = /^\s+at \S*(processTicksAndRejections|runNextTicks|runMicrotasks) [([]/;
const AWAITING = /^\s+at async /;

/** Frames below a body: the scheduler's, its thread's loop, and those by which the engine got there. */
function isBelowBody(line: string): boolean {
  return line.includes(OWN) || /node:internal|machine-(?:loop|main)/.test(line) || STEP.test(line);
}

/** Cuts what is not the body's off the lower end of an error's stack. */
export function trimStack(error: unknown): void {
  try {
    if (error instanceof Error) Reflect.set(error, "stack", trimmed(String(error.stack)));
  } catch {
    // A hostile error whose properties throw keeps whatever stack it has.
  }
}

function trimmed(stack: string): string {
  const all = stack.split("\n");
  const continued = all.findIndex((line) => CONTINUED.test(line));
  const lines = continued < 0 ? all : all.filter((line, i) => i < continued || AWAITING.test(line));
  // Such frames may also stand between frames of the body (an operation that threw): only the tail is cut.
  const tail = lines.findLastIndex((line) => /^\s+at /.test(line) && !isBelowBody(line));
  // An error without a frame of the body's own, such as one of the operating system's, keeps the engine's.
  const first = tail < 0 ? lines.findIndex((line) => line.includes(OWN)) : -1;
  const end = tail >= 0 ? tail + 1 : first > 0 ? first : lines.length;
  return lines
    .slice(0, end)
    .filter((line) => !STEP.test(line))
    .join("\n");
}
