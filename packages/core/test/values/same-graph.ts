/**
 * Whether two values are the same, object for object: kinds, content, order of keys, holes, and which parts
 * are one.
 */

const { getPrototypeOf, getOwnPropertyDescriptor } = Object;

/** Where two values differ; `undefined` if they do not. */
export function difference(a: unknown, b: unknown): string | undefined {
  return new Comparison().compare(a, b, "value");
}

class Comparison {
  private readonly pairs = new Map<object, object>();
  private readonly taken = new Set<object>();
  private readonly queue: [object, object, string][] = [];

  compare(a: unknown, b: unknown, where: string): string | undefined {
    const first = this.visit(a, b, where);
    if (first !== undefined) return first;
    for (let next = this.queue.pop(); next !== undefined; next = this.queue.pop()) {
      const found = this.compareObjects(...next);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private visit(a: unknown, b: unknown, where: string): string | undefined {
    if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
      return Object.is(a, b) ? undefined : `${where}: ${String(a)} and ${String(b)}`;
    }
    const partner = this.pairs.get(a);
    if (partner !== undefined)
      return partner === b ? undefined : `${where}: what is one there is not one here`;
    if (this.taken.has(b)) return `${where}: what is one here is not one there`;
    this.pairs.set(a, b);
    this.taken.add(b);
    this.queue.push([a, b, where]);
    return undefined;
  }

  private compareObjects(a: object, b: object, where: string): string | undefined {
    if (getPrototypeOf(a) !== getPrototypeOf(b)) return `${where}: classes differ`;
    return this.compareContent(a, b, where) ?? this.compareProperties(a, b, where);
  }

  private compareContent(a: object, b: object, where: string): string | undefined {
    if (a instanceof Map) return this.compareLists([...a].flat(), [...(b as typeof a)].flat(), where);
    if (a instanceof Set) return this.compareLists([...a], [...(b as typeof a)], where);
    if (a instanceof Date) return this.visit(a.getTime(), (b as Date).getTime(), where);
    if (a instanceof RegExp) return this.visit(regExpText(a), regExpText(b as RegExp), where);
    if (ArrayBuffer.isView(a)) return this.compareViews(a, b as ArrayBufferView, where);
    if (a instanceof ArrayBuffer) return this.compareBytes(a, b as ArrayBuffer, where);
    if (a instanceof SharedArrayBuffer) return a === b ? undefined : `${where}: not the same shared buffer`;
    if (isBoxed(a)) return this.visit(a.valueOf(), b.valueOf(), where);
    return undefined;
  }

  private compareLists(a: unknown[], b: unknown[], where: string): string | undefined {
    if (a.length !== b.length) return `${where}: ${a.length} and ${b.length} entries`;
    for (let i = 0; i < a.length; i++) {
      const found = this.visit(a[i], b[i], `${where}<${i}>`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private compareViews(a: ArrayBufferView, b: ArrayBufferView, where: string): string | undefined {
    if (a.byteOffset !== b.byteOffset || a.byteLength !== b.byteLength)
      return `${where}: views of other parts`;
    return this.visit(a.buffer, b.buffer, `${where}.buffer`);
  }

  private compareBytes(a: ArrayBuffer, b: ArrayBuffer, where: string): string | undefined {
    const [left, right] = [new Uint8Array(a), new Uint8Array(b)];
    return left.length === right.length && left.every((byte, i) => byte === right[i])
      ? undefined
      : `${where}: bytes differ`;
  }

  private compareProperties(a: object, b: object, where: string): string | undefined {
    if (ArrayBuffer.isView(a)) return undefined;
    const [left, right] = [Object.getOwnPropertyNames(a), Object.getOwnPropertyNames(b)];
    if (left.join("\0") !== right.join("\0")) return `${where}: keys ${left.join()} and ${right.join()}`;
    for (const key of left) {
      const [of, to] = [getOwnPropertyDescriptor(a, key), getOwnPropertyDescriptor(b, key)];
      if (of?.enumerable !== to?.enumerable || of?.writable !== to?.writable)
        return `${where}.${key}: attributes differ`;
      const found = this.visit(of?.value, to?.value, `${where}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function regExpText(value: RegExp): string {
  return `/${value.source}/${value.flags} at ${value.lastIndex}`;
}

function isBoxed(value: object): boolean {
  return (
    value instanceof Number || value instanceof String || value instanceof Boolean || value instanceof BigInt
  );
}
