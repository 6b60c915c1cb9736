/** Follows a schedule that was written down. Beyond its end each thread runs as long as it can. */

import { type Decision, formatSchedule } from "./decision.ts";
import { ExplorerError } from "./explorer-error.ts";
import type { Model } from "./model.ts";
import type { Chooser } from "./runner.ts";

export class GivenSchedule implements Chooser {
  private readonly schedule: readonly Decision[];

  constructor(schedule: readonly Decision[]) {
    this.schedule = schedule;
  }

  choose(model: Model, decisions: readonly Decision[]): Decision {
    const at = model.state.decisions;
    const wanted = this.schedule[at] ?? (decisions[0] as Decision); // decisions are never empty
    if (decisions.includes(wanted)) return wanted;
    throw new ExplorerError(
      `schedule: decision ${at + 1} is ${formatSchedule([wanted])}, but possible there is only ` +
        `${formatSchedule(decisions).replaceAll(" ", ", ")}. The schedule belongs to another version of the model`,
    );
  }
}
