/**
 * Where on the host a failed goroutine was awaited.
 *
 * A stack taken at every spawn would cost more than the spawn itself. Instead nothing is kept, and when a goroutine fails, its promise is settled through an async function: the engine then
 * knows who awaits it, and an error made inside shows those frames.
 */

/** Rejects the promise behind `resolve` with `error`, whose stack then also shows the host's frames. */
export function rejectWithSite(resolve: (value: unknown) => void, error: unknown): void {
  resolve(rejectLater(error));
}

async function rejectLater(error: unknown): Promise<never> {
  // Two turns of the microtask queue: then the promise of this function is linked to the one that is awaited.
  await Promise.resolve();
  await Promise.resolve();
  if (error instanceof Error) addSite(error);
  throw error;
}

/** Above the host's frames. */
const HEADING = "    at spawned from the host:";

function addSite(error: Error): void {
  // Told once, however often the same handle is awaited.
  if (error.stack?.includes(HEADING) === true) return;
  const frames = (new Error().stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at async /.test(line) && !line.includes("rejectLater"));
  if (frames.length === 0) return;
  const stack = `${error.stack ?? String(error)}\n${HEADING}\n${frames.join("\n")}`;
  Object.defineProperty(error, "stack", { value: stack, writable: true, configurable: true });
}
