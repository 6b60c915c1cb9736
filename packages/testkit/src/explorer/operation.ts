/** What a thread can do to shared memory. */

/** One kind of access. Small integers, for they are packed into the keys of a thread's log. */
export type Operation = number;

export const LOAD: Operation = 0;
export const STORE: Operation = 1;
export const ADD: Operation = 2;
export const SUB: Operation = 3;
export const AND: Operation = 4;
export const OR: Operation = 5;
export const XOR: Operation = 6;
export const EXCHANGE: Operation = 7;
export const COMPARE_EXCHANGE: Operation = 8;
export const WAIT: Operation = 9;
export const NOTIFY: Operation = 10;
/** From here on: what is no step of its own unless the model says so. */
export const READ_I32: Operation = 11;
export const WRITE_I32: Operation = 12;
export const READ_F64: Operation = 13;
export const WRITE_F64: Operation = 14;
export const READ_U8: Operation = 15;
export const WRITE_U8: Operation = 16;
export const SPIN_HINT: Operation = 17;

const NAMES = [
  "load",
  "store",
  "add",
  "sub",
  "and",
  "or",
  "xor",
  "exchange",
  "compareExchange",
  "wait",
  "notify",
  "read",
  "write",
  "read f64",
  "write f64",
  "read u8",
  "write u8",
  "spinHint",
] as const;

export function nameOf(operation: Operation): string {
  return NAMES[operation] ?? `operation ${operation}`;
}

/** The word of the Int32Array that an access begins at; `index` counts elements of the view that it went through. */
export function wordOf(operation: Operation, index: number): number {
  if (operation === READ_F64 || operation === WRITE_F64) return index * 2;
  if (operation === READ_U8 || operation === WRITE_U8) return index >> 2;
  return index;
}

/** An access without its operands and its result. Equal keys, equal place in the code as far as memory is concerned. */
export type AccessKey = number;

const OPERATION_BITS = 5;
const OPERATION_MASK = (1 << OPERATION_BITS) - 1;

export function accessKey(operation: Operation, index: number): AccessKey {
  return (index << OPERATION_BITS) | operation;
}

export function operationOfKey(key: AccessKey): Operation {
  return key & OPERATION_MASK;
}

export function indexOfKey(key: AccessKey): number {
  return key >>> OPERATION_BITS;
}

/** `load word 3`, for messages. */
export function describeKey(key: AccessKey): string {
  const operation = operationOfKey(key);
  return `${nameOf(operation)} of word ${wordOf(operation, indexOfKey(key))}`;
}
