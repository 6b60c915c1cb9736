/** How the end of a runtime by an error that nobody caught is told. */

import { formatGoroutine, type GoroutineInfo, show } from "@heddle/core";
import type { MachineMessage } from "./boot.ts";

/** What the host is told. */
export type PanicMessage = Extract<MachineMessage, { kind: "panic" }>;

/** What the host is to print, in Go's form, and to reject with. */
export function panicMessage(goroutine: GoroutineInfo, thrown: unknown): PanicMessage {
  const error = isReadable(thrown) ? thrown : new Error("panic with an error that cannot even be read");
  const text = panicText(error);
  const stack = error instanceof Error ? stackFrames(error) : [];
  const [header, ...rest] = formatGoroutine({ ...goroutine, status: "running", waitReason: undefined }).split(
    "\n",
  );
  // The stack says more than the place of the function; who created it comes last.
  const frames = stack.length > 0 ? [...stack, rest.at(-1)] : rest;
  const dump = `panic: ${panicChain(error)}\n\n${header}\n${frames.join("\n")}\n`;
  return { kind: "panic", error: cloneable(error, text), text, dump };
}

/** Whether nothing of it throws when it is read. A body may throw anything, a proxy with traps or an error with getters, too. */
function isReadable(error: unknown): boolean {
  try {
    return `${panicChain(error)}${error instanceof Error ? error.stack : ""}` !== "";
  } catch {
    return false;
  }
}

function panicText(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message}`
    : typeof error === "string"
      ? error
      : show(error);
}

/** The errors that led to the last, the first one first, as Go prints a chain of panics. */
function panicChain(error: unknown): string {
  const chain = [panicText(error)];
  for (let at = error; at instanceof Error && at.cause !== undefined && chain.length < 10; at = at.cause)
    chain.unshift(panicText(at.cause));
  return chain.join("\n\tpanic: ");
}

function stackFrames(error: Error): string[] {
  return String(error.stack)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
}

/** The error itself if it can be sent, else its text. */
function cloneable(error: unknown, text: string): unknown {
  try {
    return structuredClone(error);
  } catch {
    return new Error(text);
  }
}
