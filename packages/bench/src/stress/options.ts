/** The command line of `stress`. */

import { parseArgs } from "node:util";
import { integerOf, numberOf } from "../arguments.ts";
import type { RoundPlan, Scenario } from "./scenario.ts";
import { scenarioNamed, scenarios } from "./scenarios/index.ts";

export const usage = `npm run stress -- [scenario…] [options]

  --minutes M     how long to go on; default 1
  --seed N        seed of the first round, the next has N + 1 and so on; default: a new one each time
  --procs P       processors, or several numbers with commas between; default 2,4,16
  --scale S       factor on the number of goroutines; default 1
  --length L      factor on how much each of them does; default 1
  --chaos C       on, off, or both in turn; default both
  --repeat R      play the first round R times, and no other
  --until-failure stop at the first failure
  --no-shrink     do not look for a smaller round that fails as well
  --patience S    seconds without any movement that count as a hang; default 20
  --report FILE   where the JSON report goes; default temp/stress.json
  --list          the scenarios
`;

/** What is asked for. */
export interface Invocation {
  readonly scenarios: readonly string[];
  readonly minutes: number;
  readonly seed: number;
  readonly procs: readonly number[];
  readonly scale: number;
  readonly length: number;
  readonly chaos: readonly boolean[];
  /** Times the first round is to be played; 0 for as many different rounds as there is time for. */
  readonly repeat: number;
  readonly untilFailure: boolean;
  readonly shrink: boolean;
  readonly stillMs: number;
  readonly report: string;
}

/** Reads the arguments. `undefined` if they only asked for an answer, which has been printed. */
export function parseInvocation(args: readonly string[]): Invocation | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string" },
      procs: { type: "string", default: "2,4,16" },
      scale: { type: "string", default: "1" },
      length: { type: "string", default: "1" },
      chaos: { type: "string", default: "both" },
      repeat: { type: "string", default: "0" },
      "until-failure": { type: "boolean", default: false },
      "no-shrink": { type: "boolean", default: false },
      patience: { type: "string", default: "20" },
      report: { type: "string", default: "temp/stress.json" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  if (values.list) return void process.stdout.write(list());
  for (const name of positionals) scenarioNamed(name);
  return {
    scenarios: positionals.length > 0 ? positionals : usual().map(({ name }) => name),
    minutes: numberOf("--minutes", values.minutes, 0, 100_000),
    seed: values.seed === undefined ? freshSeed() : integerOf("--seed", values.seed, -(2 ** 31), 2 ** 31 - 1),
    procs: values.procs.split(",").map((procs) => integerOf("--procs", procs, 1, 256)),
    scale: numberOf("--scale", values.scale, 0, 1000),
    length: numberOf("--length", values.length, 0, 1000),
    chaos: chaosOf(values.chaos),
    repeat: integerOf("--repeat", values.repeat, 0, 1e9),
    untilFailure: values["until-failure"],
    shrink: !values["no-shrink"],
    stillMs: numberOf("--patience", values.patience, 1, 3600) * 1000,
    report: values.report,
  };
}

function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 30);
}

function usual(): Scenario[] {
  return scenarios.filter(({ byNameOnly }) => byNameOnly !== true);
}

function list(): string {
  return scenarios.map(({ name, about }) => `${name}\n    ${about}\n`).join("");
}

function chaosOf(text: string): boolean[] {
  const choices: Readonly<Record<string, boolean[]>> = { on: [true], off: [false], both: [false, true] };
  const chosen = choices[text];
  if (chosen === undefined) throw new RangeError(`--chaos: ${text} is none of on, off, both`);
  return chosen;
}

/** The rounds that an invocation asks for, one after the other, without end. */
export function* roundsOf(invocation: Invocation): Generator<RoundPlan, never> {
  const { scenarios, procs, chaos, scale, length } = invocation;
  // A short invocation does not come to all of them: which ones it plays is for the seed to say.
  const first = Math.abs(invocation.seed) % scenarios.length;
  for (let round = 0; ; round++) {
    // Every scenario has its turn before numbers of processors and chaos change.
    const turn = Math.floor(round / scenarios.length);
    yield {
      scenario: itemAt(scenarios, first + round),
      seed: (invocation.seed + (invocation.repeat > 0 ? 0 : round)) | 0,
      procs: itemAt(procs, turn),
      scale,
      length,
      chaos: itemAt(chaos, Math.floor(turn / procs.length) + turn),
    };
  }
}

function itemAt<T>(items: readonly T[], index: number): T {
  return items[index % items.length] as T;
}

/** The command that plays a round again. What the operating system does between the threads is not repeated, so it is played until it fails. */
export function commandFor({ scenario, seed, procs, scale, length, chaos }: RoundPlan): string {
  const sizes = `${scale === 1 ? "" : ` --scale ${scale}`}${length === 1 ? "" : ` --length ${length}`}`;
  return `npm run stress -- ${scenario} --seed ${seed} --procs ${procs}${sizes} --chaos ${chaos ? "on" : "off"} --repeat 50`;
}
