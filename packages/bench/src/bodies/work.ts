import { type Goroutine, goroutine, type Handle, spawn } from "heddle";
import { burn } from "../burn.ts";
import { bytesOfLength } from "../payloads.ts";

/** One task of a list of work. */
export const burnSteps = goroutine(import.meta, function burnSteps(steps: number): number {
  return burn(steps);
});

/** A goroutine for each task of a list, joined in the order of the list. */
export const burnAll = goroutine(import.meta, function* burnAll(tasks: readonly number[]): Goroutine<void> {
  const handles: Handle<number>[] = [];
  for (const steps of tasks) handles.push(spawn(burnSteps, steps));
  for (const handle of handles) yield* handle;
});

/** Says how long bytes are: nothing to do but to receive them. */
export const lengthOf = goroutine(import.meta, function lengthOf(bytes: Uint8Array): number {
  return bytes.length;
});

/** Sends bytes that are at hand. */
export const bytesOf = goroutine(import.meta, function bytesOf(length: number): Uint8Array {
  return bytesOfLength(length);
});

/** Sends a value back as it came. */
export const sendBack = goroutine(import.meta, function sendBack(value: unknown): unknown {
  return value;
});
