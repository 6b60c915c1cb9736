/** What the threads of explorer models find in place of the engine's own: things that a thread which is run again from its start must find unchanged. */

/** As `WeakRef`, but holds its object. The engine keeps what a WeakRef names until the end of the task anyway, and an exploration is one task with thousands of runtimes. */
class LastingRef<T extends object> {
  private readonly object: T;

  constructor(object: T) {
    this.object = object;
  }

  deref(): T {
    return this.object;
  }
}

/** Nothing is collected while a model runs. */
class IdleRegistry {
  register(): void {}
  unregister(): boolean {
    return false;
  }
}

/** A clock that goes on with every look: the same in every run of a thread, and soon past the end of a search. */
function modelClock(): { now(): number } {
  let time = 0;
  return { now: () => (time += 0.03) };
}

type Globals = Record<string, unknown>;

/** Runs a thread of a model. */
export function withModelGlobals<T>(action: () => T): T {
  const standIns: Globals = {
    performance: modelClock(),
    WeakRef: LastingRef,
    FinalizationRegistry: IdleRegistry,
  };
  const before = new Map(Object.keys(standIns).map((name) => [name, (globalThis as Globals)[name]]));
  const { stackTraceLimit } = Error;
  // Where the explorer called from is not the same each time.
  Error.stackTraceLimit = 0;
  replace(Object.entries(standIns));
  try {
    return action();
  } finally {
    replace(before);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function replace(globals: Iterable<[string, unknown]>): void {
  for (const [name, value] of globals)
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
