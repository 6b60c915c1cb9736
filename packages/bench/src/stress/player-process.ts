/** The process that plays rounds. What it does to itself, a crash included, is seen by the one that conducts. */

import type { PlayerMessage, PlayMessage } from "./messages.ts";
import { playRound } from "./round.ts";

function tell(message: PlayerMessage): void {
  process.send?.(message);
}

process.on("message", (message) => {
  const { plan, patience } = message as PlayMessage;
  void playRound(plan, patience, (beat) =>
    tell({ kind: "beat", beat, residentBytes: process.memoryUsage.rss() }),
  ).then((result) => tell({ kind: "played", result }));
});
process.on("disconnect", () => process.exit(0));
