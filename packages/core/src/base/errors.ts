/**
 * Every error class of Heddle.
 *
 * Programs tell them apart by class or, across copies of the package, by `code`, which never changes. Both survive the
 * way to another thread: values/error-classes finds the class again by its name.
 *
 * `name` stands on the prototype, as in the built-in errors, so that it is not listed among an error's own properties;
 * `code` is the error's own, as in Node's errors, so that it is shown when the error is printed.
 */

/** Gives a class the name its errors show, whatever a bundler calls the class. */
function named(errorClass: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, "name", { value: name, writable: true, configurable: true });
}

/** Every error of the package has a stable `code`, `ERR_HEDDLE_…`. */
export class HeddleError extends Error {
  readonly code: string = "ERR_HEDDLE";
  static {
    named(this, "HeddleError");
  }
}

/** "all goroutines are asleep - deadlock!", with the dump of the sleepers. */
export class DeadlockError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_DEADLOCK";
  static {
    named(this, "DeadlockError");
  }
}

/** "send on closed channel", "close of closed channel". */
export class ClosedChannelError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_CLOSED_CHANNEL";
  static {
    named(this, "ClosedChannelError");
  }
}

/** "context canceled". */
export class CanceledError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_CANCELED";
  static {
    named(this, "CanceledError");
  }
}

/** "context deadline exceeded". */
export class DeadlineExceededError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_DEADLINE_EXCEEDED";
  static {
    named(this, "DeadlineExceededError");
  }
}

/** Wraps what an unrecovered `go` body threw (`cause`); every pending `run` rejects with it. */
export class PanicError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_PANIC";
  static {
    named(this, "PanicError");
  }
}

/** The thread on which a started goroutine lived is gone (crash, exit, out of memory). */
export class MachineLostError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_MACHINE_LOST";
  static {
    named(this, "MachineLostError");
  }
}

/** The goroutine table is full. Starting one works again when another has ended. */
export class GoroutineLimitError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_GOROUTINE_LIMIT";
  static {
    named(this, "GoroutineLimitError");
  }
}

/** The shared memory for values is full, or all sync objects are in use, of which a SharedArrayBuffer that was sent is one. The same call works again when other values have been received, or objects dropped. */
export class MemoryLimitError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_MEMORY";
  static {
    named(this, "MemoryLimitError");
  }
}

/** A value that cannot be copied to another thread; the message names the path, such as `args[0].onDone`. */
export class CloneError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_CLONE";
  static {
    named(this, "CloneError");
  }
}

/** The words of a value in shared memory make no sense: something wrote over them. Nothing of it was used. */
export class CorruptValueError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_CORRUPT_VALUE";
  static {
    named(this, "CorruptValueError");
  }
}

/** A word of the memory that the threads share makes no sense: something wrote over it. The runtime has been stopped, since nobody knows what else was hit. */
export class CorruptMemoryError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_CORRUPT_MEMORY";
  static {
    named(this, "CorruptMemoryError");
  }
}

/** Not a declared body, or a module that cannot be loaded, or a name that is not in it. */
export class FunctionError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_FUNCTION";
  static {
    named(this, "FunctionError");
  }
}

/** Used outside a runtime, or after it was closed, or with two open and none entered. */
export class NoRuntimeError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_NO_RUNTIME";
  static {
    named(this, "NoRuntimeError");
  }
}

/** A rule of a sync object was broken: Go's texts, such as "sync: negative WaitGroup counter". */
export class MisuseError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_MISUSE";
  static {
    named(this, "MisuseError");
  }
}
