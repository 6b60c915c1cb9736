import { type Goroutine, goroutine, type Handle, spawn } from "heddle";
import { burn } from "../burn.ts";

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
