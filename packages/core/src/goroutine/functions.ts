/**
 * Goroutine bodies as this thread knows them: what `goroutine` declared, what `tasks` refers to.
 *
 * A function carries a reference to its place under a private symbol, so that a spawn finds it with one property read (a WeakMap would cost as much as the
 * rest of the spawn). Functions that cannot take a property are kept in a WeakMap all the same.
 */

import { FunctionError } from "../base/errors.ts";
import type { FunctionPlace } from "./function-table.ts";

/** A generator body is driven step by step; what the others are shows when they are called. */
export const BODY_GENERATOR = 1;
export const BODY_ASYNC = 2;
export const BODY_PLAIN = 3;

export type Body = (...args: never[]) => unknown;

/** What a function is known as, with the number its last user (a runtime on this thread) knows it by. */
export class FunctionReference implements FunctionPlace {
  readonly url: string;
  readonly name: string;
  /** Whose number `id` is. */
  user: object | undefined = undefined;
  id = 0;

  constructor(url: string, name: string) {
    this.url = url;
    this.name = name;
  }
}

const REFERENCE: unique symbol = Symbol("heddle.function");

type Referring = Body & { [REFERENCE]?: FunctionReference };

const inextensible = new WeakMap<Body, FunctionReference>();
const declared = new Map<string, Map<string, Body>>();

/** The part of `import.meta` that `goroutine` needs. */
export interface ModuleMeta {
  readonly url: string;
}

/** See `goroutine` of the public package. */
export function declareBody<F extends Body>(module: ModuleMeta, body: F, name?: string): F {
  if (typeof body !== "function")
    throw new FunctionError(`goroutine: the body must be a function, not ${describe(body)}`);
  if (typeof module?.url !== "string")
    throw new FunctionError("goroutine: the first argument must be the module's import.meta");
  const known = name ?? body.name;
  if (typeof known !== "string" || known === "") {
    throw new FunctionError(
      `goroutine: a body without a name in ${module.url}; name the function or pass a name as third argument`,
    );
  }
  let bodies = declared.get(module.url);
  if (bodies === undefined) declared.set(module.url, (bodies = new Map()));
  if (bodies.has(known))
    throw new FunctionError(`goroutine: a second body named "${known}" in ${module.url}`);
  bodies.set(known, body);
  refer(body, new FunctionReference(module.url, known));
  return body;
}

/** See `tasks` of the public package. */
export function referToModule(module: { readonly href: string } | string): object {
  const url = moduleUrl(module);
  const references = new Map<string, Body>();
  return new Proxy(Object.create(null) as object, {
    get: (_target, key) => {
      // A promise that resolves to this object asks for `then`.
      if (typeof key !== "string" || key === "then") return undefined;
      let reference = references.get(key);
      if (reference === undefined) references.set(key, (reference = taskReference(url, key)));
      return reference;
    },
    set: () => false,
  });
}

function moduleUrl(module: { readonly href: string } | string): string {
  const url = typeof module === "string" ? module : module?.href;
  if (typeof url !== "string" || !/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    throw new FunctionError(
      `tasks: expected a URL such as new URL("./work.js", import.meta.url), not ${describe(module)}; a relative path has no base here`,
    );
  }
  return url;
}

function taskReference(url: string, name: string): Body {
  const reference = (): never => {
    throw new FunctionError(
      `${name} of ${url} is a reference for go, spawn and run; it cannot be called directly`,
    );
  };
  refer(reference, new FunctionReference(url, name));
  return reference;
}

function refer(body: Body, reference: FunctionReference): void {
  if (Object.isExtensible(body)) Object.defineProperty(body, REFERENCE, { value: reference });
  else inextensible.set(body, reference);
}

/** What a function is known as. Throws `FunctionError` for one that was never declared. */
export function referenceOf(body: Body): FunctionReference {
  if (typeof body === "function") {
    const reference = (body as Referring)[REFERENCE] ?? inextensible.get(body);
    if (reference !== undefined) return reference;
    throw new FunctionError(
      `${body.name || "an anonymous function"} is not declared: wrap it in goroutine(import.meta, …) at the top level of a module, or refer to its module with tasks(…)`,
    );
  }
  throw new FunctionError(`expected a goroutine body, not ${describe(body)}`);
}

/** A body declared in a module of this thread. */
export function declaredBody(url: string, name: string): Body | undefined {
  return declared.get(url)?.get(name);
}

/** Finds a body in a module that this thread has loaded: declared there, or exported by it. Throws `FunctionError`. */
export function bodyIn(exports: object, { url, name }: FunctionPlace): Body {
  const found = declaredBody(url, name) ?? (exports as Record<string, unknown>)[name];
  if (typeof found === "function") return found as Body;
  if (found !== undefined)
    throw new FunctionError(`"${name}" of ${url} is ${describe(found)}, not a function`);
  throw new FunctionError(`"${name}" is neither declared nor exported in ${url}`);
}

const GENERATOR_FUNCTION = Object.getPrototypeOf(function* () {}) as object;
const ASYNC_FUNCTION = Object.getPrototypeOf(async () => {}) as object;

/** How a body is to be driven. */
export function bodyKind(body: Body): number {
  const prototype = Object.getPrototypeOf(body) as object;
  if (prototype === GENERATOR_FUNCTION) return BODY_GENERATOR;
  return prototype === ASYNC_FUNCTION ? BODY_ASYNC : BODY_PLAIN;
}

const GENERATOR_PROTOTYPE = (GENERATOR_FUNCTION as { prototype: object }).prototype;

/** Whether what an other body returned is a generator to be driven. */
export function isGenerator(value: unknown): value is Generator<unknown, unknown, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.prototype.isPrototypeOf.call(GENERATOR_PROTOTYPE, value)
  );
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object") return `an object`;
  return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
}
