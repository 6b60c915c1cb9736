/** What the threads of the pools run: the same functions that are goroutines on Heddle's side. */
import { burn } from "../burn.ts";
import { bytesOfLength } from "../payloads.ts";

export function echo<T>(value: T): T {
  return value;
}

export function burnSteps(steps: number): number {
  return burn(steps);
}

export function lengthOf(bytes: Uint8Array): number {
  return bytes.length;
}

export function bytesOf(length: number): Uint8Array {
  return bytesOfLength(length);
}
