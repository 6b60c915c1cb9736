/** Every scenario there is. */

import type { Scenario } from "../scenario.ts";
import { asyncIo } from "./async-io.ts";
import { blocking } from "./blocking.ts";
import { cancellationStorm } from "./cancellation-storm.ts";
import { channelNetwork } from "./channel-network.ts";
import { everythingOf } from "./everything.ts";
import { faults } from "./faults.ts";
import { forkJoin } from "./fork-join.ts";
import { fuzz } from "./fuzz.ts";
import { linearizability } from "./linearizability.ts";
import { locks } from "./locks.ts";
import { failsOnPurpose, hangsOnPurpose } from "./on-purpose.ts";
import { payloads } from "./payloads.ts";
import { runtimes } from "./runtimes.ts";
import { selectStorm } from "./select-storm.ts";
import { spawnStorm } from "./spawn-storm.ts";
import { timers } from "./timers.ts";

export const scenarios: readonly Scenario[] = [
  spawnStorm,
  forkJoin,
  channelNetwork,
  selectStorm,
  cancellationStorm,
  locks,
  timers,
  blocking,
  payloads,
  asyncIo,
  linearizability,
  runtimes,
  fuzz,
  faults,
  everythingOf([forkJoin, channelNetwork, selectStorm, cancellationStorm, locks, timers, payloads, asyncIo]),
  failsOnPurpose,
  hangsOnPurpose,
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
