/** The kinds of views on a buffer, by number. */

import { classOfTypedArray } from "./intrinsics.ts";

type ViewClass = new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayBufferView;

/** Classes by number; never reordered. Engines that know Float16Array have one more. */
const VIEW_NAMES = [
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array",
] as const;

const classes = VIEW_NAMES.map(
  (name) => (globalThis as Record<string, unknown>)[name] as ViewClass | undefined,
);
const numbers = new Map<string | undefined, number>(VIEW_NAMES.map((name, number) => [name, number]));

/** The number of a view's class, whatever its prototype says. */
export function viewKindOf(view: ArrayBufferView): number {
  return numbers.get(classOfTypedArray.call(view)) ?? 0;
}

/**
 * A view of a kind; `undefined` if there is no such kind. `length` is in elements. Throws `RangeError` if it
 * does not fit into the buffer.
 */
export function createView(
  kind: number,
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
): ArrayBufferView | undefined {
  const viewClass = classes[kind];
  return viewClass === undefined ? undefined : new viewClass(buffer, offset, length);
}
