/** What the errands of the scenario faults are given. */

import type { Stage } from "../scenario.ts";
import type { Accounts } from "./accounts.ts";

export interface Load {
  readonly stage: Stage;
  readonly accounts: Accounts;
}

/** Some work that ends, whatever threads end meanwhile: it is done again and again. */
export interface Errand {
  readonly run: (load: Load) => Promise<void>;
}
