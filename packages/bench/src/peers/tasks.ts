/** What the threads of the other pools run: the same functions that are goroutines on Heddle's side. */
import { burn } from "../burn.ts";

export function echo(value: number): number {
  return value;
}

export function burnSteps(steps: number): number {
  return burn(steps);
}
