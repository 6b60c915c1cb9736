/**
 * Sides of one measurement take turns, round after round, each time in a fresh process.
 *
 * A ratio is only as good as the rounds it is taken from: both its figures come from the same round, minutes
 * cannot lie between them. Every other round goes backwards, so that no side always follows the same one. While
 * a round runs, the processor time of the whole machine is compared with that of the round's own processes; a
 * round in which others took more than a twentieth is thrown away and repeated, at most as often as there are
 * rounds. On a machine that never comes to rest the least disturbed rounds are kept, and the result says how
 * disturbed they were.
 */
import { watchMachine } from "./machine-watch.ts";
import { medianOf } from "./median.ts";
import type { Round, SideOutput, Turns } from "./results.ts";

/** The share of the cores that others may take during a round before it is repeated. */
export const DISTURBED = 0.05;

export interface TurnOptions {
  readonly rounds: number;
  /** Keep every round, however busy the machine was. */
  readonly keepDisturbed: boolean;
}

export interface TurningSide<Name extends string> {
  readonly name: Name;
  /** Runs the side in a process of its own. */
  readonly measure: () => Promise<SideOutput>;
  /** Called when it has ended, well or not. */
  readonly ended?: () => void;
}

/** What is known of the sides beside their figures, gathered over the rounds. A side that failed is not run again. */
interface Remarks<Name extends string> {
  readonly notes: { [name in Name]?: string };
  readonly failures: { [name in Name]?: string };
}

export async function takeTurns<Name extends string>(
  sides: readonly TurningSide<Name>[],
  { rounds: wanted, keepDisturbed }: TurnOptions,
): Promise<Turns<Name>> {
  const remarks: Remarks<Name> = { notes: {}, failures: {} };
  const rounds: Round<Name>[] = [];
  const attempts = keepDisturbed ? wanted : 2 * wanted;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const left = sides.filter(({ name }) => remarks.failures[name] === undefined);
    rounds.push(await runRound(attempt % 2 === 0 ? left : left.toReversed(), remarks));
    if (rounds.filter(isQuiet).length >= wanted) break;
  }
  const kept = leastDisturbed(rounds, wanted);
  return { rounds: kept, discarded: rounds.length - kept.length, ...remarks };
}

function isQuiet(round: Round<string>): boolean {
  return round.foreignShare <= DISTURBED;
}

/** The quietest `count` rounds, in the order in which they ran. */
export function leastDisturbed<R extends Round<string>>(rounds: readonly R[], count: number): R[] {
  const kept = new Set(rounds.toSorted((a, b) => a.foreignShare - b.foreignShare).slice(0, count));
  return rounds.filter((round) => kept.has(round));
}

async function runRound<Name extends string>(
  sides: readonly TurningSide<Name>[],
  { notes, failures }: Remarks<Name>,
): Promise<Round<Name>> {
  const figures: { [name in Name]?: number } = {};
  const watch = watchMachine();
  for (const { name, measure, ended } of sides) {
    try {
      const { samples, cpuMs } = await measure();
      watch.own(cpuMs);
      figures[name] = medianOf(samples.map((sample) => sample.value));
      const note = samples.find((sample) => sample.note !== undefined)?.note;
      if (note !== undefined) notes[name] = note;
    } catch (error) {
      failures[name] = (error as Error).message;
    }
    ended?.();
  }
  return { figures, foreignShare: watch.foreignShare() };
}
