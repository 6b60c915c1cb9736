import { seeded } from "@heddle/testkit";
import { permutationTest } from "simple-statistics";

/** How often the labels are shuffled; what is left of chance in the p-value is then a hundredth of it or less. */
const PERMUTATIONS = 20_000;

/**
 * The Mann–Whitney test: how likely it is that two samples of one and the same thing differ in their ranks as much
 * as these do, in either direction. Ranks and not values, because figures of a busy machine have long tails and no
 * known distribution.
 *
 * The p-value is taken by shuffling, with a fixed seed: the same figures give the same answer.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const random = seeded(1);
  const ranks = ranksOf([...a, ...b]);
  return permutationTest(ranks.slice(0, a.length), ranks.slice(a.length), "two_side", PERMUTATIONS, () =>
    random.fraction(),
  );
}

/** The place of each value among all; equal ones share the mean of theirs. */
export function ranksOf(values: readonly number[]): number[] {
  const sorted = values.toSorted((x, y) => x - y);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1);
}
