/** Stacks of errors as a program's author wants to see them. */

/** Where the scheduler's own modules are. */
const OWN = import.meta.url.slice(0, import.meta.url.lastIndexOf("/") + 1);

/** Cuts the scheduler's frames off the lower end of an error's stack: what remains are the body's. */
export function trimStack(error: unknown): void {
  try {
    if (error instanceof Error) Reflect.set(error, "stack", trimmed(String(error.stack)));
  } catch {
    // A hostile error whose properties throw keeps whatever stack it has.
  }
}

function trimmed(stack: string): string {
  const lines = stack.split("\n");
  const first = lines.findIndex((line) => line.includes(OWN));
  if (first <= 0) return stack;
  // Further own frames may stand between frames of the body (an operation that threw): only the tail is cut.
  let end = lines.length;
  const tail = lines.findLastIndex((line) => !line.includes(OWN) && /^\s+at /.test(line) && !/node:internal|machine-loop/.test(line));
  end = tail < 0 ? first : tail + 1;
  return lines.slice(0, end).filter((line) => !/^\s+at (\S+\.)?next \(<anonymous>\)$/.test(line)).join("\n");
}
