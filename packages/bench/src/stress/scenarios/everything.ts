/** All of the others at once, on one runtime. */

import type { Scenario } from "../scenario.ts";

/** Plays several scenarios side by side. Each has a stage of its own on the same runtime. */
export function everythingOf(scenarios: readonly Scenario[]): Scenario {
  return {
    name: "everything",
    about: `${scenarios.map(({ name }) => name).join(", ")}, all at once on one runtime: what must hold in each`,
    async play(stage) {
      const plan = { ...stage.plan, scale: stage.plan.scale / 3, length: stage.plan.length / 2 };
      const parts = scenarios.map((scenario) => scenario.play(stage.part(plan)));
      // All come to their end before the first failure is told: what they hold would be torn from under them.
      const outcomes = await Promise.allSettled(parts);
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}
