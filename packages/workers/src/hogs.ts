/** Reports of goroutines that keep their processor: to whoever listens and, in development, as a warning of the process. */

import { channel } from "node:diagnostics_channel";
import type { HogMessage } from "./boot.ts";

/** Gets a `HogMessage` for each goroutine that has run for a second without giving way. On the thread that started the runtime. */
const hogs = channel("heddle:hog");

/** Passes on what sysmon found. */
export function reportHog(hog: HogMessage): void {
  hogs.publish(hog);
  if (process.env["NODE_ENV"] === "production") return;
  const { id, name, module, heldMs } = hog;
  process.emitWarning(`goroutine ${id}, ${name}, has kept its processor for ${Math.round(heldMs)} ms`, {
    type: "HeddleWarning",
    code: "HEDDLE_HOG",
    detail: `Others wait meanwhile. In loops, call checkpoint(); around a synchronous call, use blocking(). Its function is in ${module}.`,
  });
}
