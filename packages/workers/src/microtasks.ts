/**
 * Running a thread's microtasks without leaving what runs on it.
 *
 * A thread that is held by `block()` does not return to its event loop, and promise continuations of async bodies that live on it would wait as long. Node has one function that runs `process.nextTick` callbacks and
 * microtasks until none are left, and which may be called from anywhere but a microtask: the one it calls itself after each callback of the event loop. It is not documented for use from outside (DEP0134 says so, and a
 * process with --pending-deprecation warns once). It is there in all versions that Heddle was tested with, 20 to 26; where it is missing, async bodies wait for the thread, as the file scheduler/machine/blocking.ts says.
 */

/** What Node keeps on `process` beside what is documented. */
interface NodeProcess {
  /** Runs nextTicks and microtasks, and looks for promises that were rejected and not handled. Throws what a nextTick throws. */
  readonly _tickCallback?: unknown;
  /** Does what is to be done with an error that nobody caught: calls the program's handlers, or ends the thread. */
  readonly _fatalException?: unknown;
}

/** Runs what is due, as after a callback of the event loop; `undefined` where this Node cannot. */
export function microtaskRunner(): (() => void) | undefined {
  const { _tickCallback: runTicks, _fatalException: fail } = process as NodeProcess;
  if (typeof runTicks !== "function" || typeof fail !== "function") return undefined;
  return () => {
    for (;;) {
      try {
        runTicks.call(process);
        return;
      } catch (error) {
        // A nextTick threw. Were this to go up, a body that has nothing to do with it would catch it; and Node, which has not closed that nextTick's scope, would end the process at the next.
        fail.call(process, error, false);
      }
    }
  };
}
