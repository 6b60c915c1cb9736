/**
 * The classes of errors that keep their class on another thread. An error of any other class arrives as the
 * nearest of these above it, with its own `name`.
 */

import * as errors from "../base/errors.ts";

/** The platform's own class, of which an AbortSignal's reason is. Engines load it when it is first named, so it is named when one is met. */
const PLATFORM_ERROR = "DOMException";

type PlatformErrorClass = new () => Error;

function platformErrorClass(): PlatformErrorClass | undefined {
  return (globalThis as Record<string, unknown>)[PLATFORM_ERROR] as PlatformErrorClass | undefined;
}

/** Whether a prototype is that of the platform's errors. */
function isPlatformErrors(prototype: object): boolean {
  const tag: unknown = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value;
  return tag === PLATFORM_ERROR && platformErrorClass()?.prototype === prototype;
}

function createPlatformError(): Error {
  const platformError = platformErrorClass();
  return platformError === undefined ? new Error() : new platformError();
}

export class ErrorClasses {
  private readonly creators = new Map<string, () => Error>();
  private readonly names = new Map<object, string>();

  /** Adds a class by its prototype; `create` makes an error of it, with an empty message. */
  add(prototype: Error, create: () => Error): this {
    this.creators.set(prototype.name, create);
    this.names.set(prototype, prototype.name);
    return this;
  }

  /**
   * The name of the class an error belongs to, or of the nearest above it. An error of another realm is known
   * by its own name.
   */
  nameFor(error: object, ownName: string): string {
    for (let at: object | null = error; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const name = this.names.get(at) ?? (isPlatformErrors(at) ? PLATFORM_ERROR : undefined);
      if (name !== undefined) return name;
    }
    return this.creators.has(ownName) ? ownName : "Error";
  }

  /** An error of the class with this name; `undefined` if there is no such class. */
  create(name: string): Error | undefined {
    const create = this.creators.get(name) ?? (name === PLATFORM_ERROR ? createPlatformError : undefined);
    return create === undefined ? undefined : withoutStack(create);
  }
}

/**
 * Creates an error whose stack will be replaced: taking the stack of this place would cost ten times as much
 * as all the rest.
 * `stackTraceLimit` is V8's; elsewhere, or when Error is frozen, the stack is taken and replaced.
 */
function withoutStack(create: () => Error): Error {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  if (typeof limit !== "number") return create();
  Reflect.set(Error, "stackTraceLimit", 0);
  try {
    return create();
  } finally {
    Reflect.set(Error, "stackTraceLimit", limit);
  }
}

/** Built-in classes and Heddle's own. */
export function standardErrorClasses(): ErrorClasses {
  const classes = new ErrorClasses();
  const builtIn = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];
  for (const errorClass of [...builtIn, ...Object.values(errors)]) {
    classes.add(errorClass.prototype, () => new errorClass());
  }
  return classes.add(AggregateError.prototype, () => new AggregateError([]));
}
