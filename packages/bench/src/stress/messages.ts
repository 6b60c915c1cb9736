/** What the process that conducts and the one that plays say to each other. */

import type { Beat, Patience, RoundResult } from "./round.ts";
import type { RoundPlan } from "./scenario.ts";

export interface PlayMessage {
  readonly plan: RoundPlan;
  readonly patience: Patience;
}

export type PlayerMessage =
  | { readonly kind: "beat"; readonly beat: Beat; readonly residentBytes: number }
  | { readonly kind: "played"; readonly result: RoundResult };
