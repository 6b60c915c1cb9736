/** Every scenario there is. */

import type { Scenario } from "../scenario.ts";
import { cancellationStorm } from "./cancellation-storm.ts";
import { channelNetwork } from "./channel-network.ts";
import { forkJoin } from "./fork-join.ts";
import { selectStorm } from "./select-storm.ts";
import { spawnStorm } from "./spawn-storm.ts";

export const scenarios: readonly Scenario[] = [
  spawnStorm,
  forkJoin,
  channelNetwork,
  selectStorm,
  cancellationStorm,
];

/** The scenario of a name. */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined)
    throw new RangeError(
      `there is no scenario ${name}: there are ${scenarios.map((scenario) => scenario.name).join(", ")}`,
    );
  return found;
}
