import { median } from "simple-statistics";

export function medianOf(values: readonly number[]): number {
  return median([...values]);
}
