/** A module that a machine meets late: while it is loaded, the thread must turn its event loop. */

import { goroutine } from "heddle";

export const answers = goroutine(import.meta, function* answers() {
  return "loaded";
});
