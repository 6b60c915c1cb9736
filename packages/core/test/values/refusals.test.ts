import { createSecretKey } from "node:crypto";
import { BlockList } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { CloneError } from "../../src/base/errors.ts";
import { codecUnderTest, Record } from "./codec-under-test.ts";

const subject = codecUnderTest();
const { codec, slot } = subject;

afterEach(() => subject.expectNothingKept());

/** What `put` throws for a value. */
function refusal(value: unknown, where = "args[0]"): Error {
  try {
    codec.put(slot, value, where);
  } catch (error) {
    return error as Error;
  }
  throw new Error("it was not refused");
}

/** The `arguments` object of a call. */
const argumentsOf = function (): unknown {
  return arguments;
} as (...values: unknown[]) => unknown;

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

/** A view of what is no longer there. */
function shrunk(view: (buffer: ArrayBuffer) => unknown): unknown {
  // @ts-expect-error -- the library of this language level does not know the option
  const buffer = new ArrayBuffer(8, { maxByteLength: 16 }) as ArrayBuffer & { resize(length: number): void };
  const made = view(buffer);
  buffer.resize(2);
  return made;
}

describe("refused as structured clone refuses it", () => {
  it.each<[string, unknown]>([
    ["a function", () => 1],
    ["a class", class {}],
    ["a symbol", Symbol("s")],
    ["a boxed symbol", Object(Symbol("s"))],
    ["a Promise", Promise.resolve(1)],
    ["a WeakMap", new WeakMap()],
    ["a WeakSet", new WeakSet()],
    ["a WeakRef", new WeakRef({})],
    ["a FinalizationRegistry", new FinalizationRegistry(() => {})],
    ["a generator object", (function* () {})()],
    ["an async generator object", (async function* () {})()],
    ["an array iterator", [1][Symbol.iterator]()],
    ["a Map iterator", new Map().entries()],
    ["a string iterator", "x"[Symbol.iterator]()],
    ["arguments", argumentsOf(1, "two")],
    ["empty arguments", argumentsOf()],
    ["an Intl object", new Intl.NumberFormat()],
    ["a detached buffer", detached()],
    ["a typed array outside its shrunk buffer", shrunk((buffer) => new Uint16Array(buffer, 4, 2))],
    ["a DataView outside its shrunk buffer", shrunk((buffer) => new DataView(buffer, 4, 2))],
    ["a MessagePort", new MessageChannel().port1],
    [
      "a view of a detached buffer",
      (() => {
        const view = new Uint8Array(8);
        structuredClone(view.buffer, { transfer: [view.buffer] });
        return view;
      })(),
    ],
  ])("%s", async (_, value) => {
    expect(() => structuredClone(value)).toThrow();
    expect(refusal(value)).toBeInstanceOf(CloneError);
    expect(refusal({ deep: [value] }).message).toMatch(
      /^args\[0\]\.deep\[0\](\.buffer)?: .* cannot be copied/,
    );
  });

  it("a module namespace", async () => {
    const namespace: unknown = await import("./same-graph.ts");
    expect(() => structuredClone(namespace)).toThrow();
    expect(refusal(namespace)).toBeInstanceOf(CloneError);
  });
});

describe("refused because it would arrive empty", () => {
  it.each<[string, unknown]>([
    ["a URL", new URL("https://example.org/")],
    ["an AbortSignal", new AbortController().signal],
    ["a Blob", new Blob(["x"])],
    ["Headers", new Headers()],
    ["a KeyObject", createSecretKey(new Uint8Array(8))],
    ["a BlockList", new BlockList()],
    ["a Proxy of a Map", new Proxy(new Map([[1, 2]]), {})],
    ["a Proxy of a Date", new Proxy(new Date(), {})],
    ["a Proxy of a view", new Proxy(new Uint8Array(3), {})],
    ["what pretends to be a Set", Object.create(Set.prototype)],
    ["what pretends to travel by reference", Object.create(Record.prototype)],
  ])("%s", (_, value) => {
    expect(refusal(value)).toBeInstanceOf(CloneError);
    expect(refusal([value]).message).toMatch(/^args\[0\]\[0\]: /);
  });

  it("but a class of the program's own may have any name", () => {
    class URL {
      href = "x";
      get [Symbol.toStringTag](): string {
        return "URL";
      }
    }
    expect(subject.copy(new URL())).toEqual({ href: "x" });
  });
});

describe("the path", () => {
  const no = (): void => {};

  it.each<[string, unknown]>([
    ["args[0]", no],
    ["args[0].onDone", { onDone: no }],
    ["args[0].list[2].on", { list: [1, 2, { on: no }] }],
    ['args[0]["not an identifier"]', { "not an identifier": no }],
    ['args[0]["0"]', { 0: no }],
    ["args[0].größe", { größe: no }],
    [
      "args[0].<value 1>",
      new Map([
        [1, 1],
        [2, no],
      ] as never),
    ],
    [
      "args[0].<key 2>.x",
      new Map<unknown, unknown>([
        [1, 1],
        [2, 2],
        [{ x: no }, 3],
      ]),
    ],
    ["args[0].<value 1>", new Set([1, no])],
    ["args[0][99]", Object.assign([], { 99: no })],
    ["args[0].note", Object.assign([1], { note: no })],
    ["args[0][7]", [1, 2, 3, 4, 5, 6, 7, no]],
    ["args[0].after", { nested: { deep: { er: [{}] } }, after: no }],
  ])("%s", (path, value) => {
    expect(refusal(value).message).toBe(`${path}: the function no cannot be copied to another goroutine`);
  });

  it("is shortened in the middle when it is long", () => {
    let value: object = { end: no };
    for (let i = 0; i < 1000; i++) value = { [`k${i}`]: value };
    expect(refusal(value).message).toBe(
      "args[0].k999.k998.k997.k996.k995.k994.k993.k992….k6.k5.k4.k3.k2.k1.k0.end: the function no cannot be copied to another goroutine",
    );
  });

  it("names what is refused", () => {
    expect(refusal(Symbol("token")).message).toContain("the symbol token");
    expect(refusal(new WeakMap()).message).toContain("an object of class WeakMap");
    expect(refusal((() => () => {})()).message).toContain("a function");
  });
});

describe("code that runs while a value is copied", () => {
  it("a getter's own error comes through, and nothing is kept", () => {
    const boom = new Error("boom");
    const value = {
      held: new Record(1),
      shared: new SharedArrayBuffer(8),
      get bad(): unknown {
        throw boom;
      },
    };
    expect(refusal(value)).toBe(boom);
    expect(subject.copy({ fine: true })).toEqual({ fine: true });
  });

  it("a trap's own error comes through", () => {
    const trap = (): never => {
      throw new RangeError("trap");
    };
    for (const handler of [
      { getPrototypeOf: trap },
      { ownKeys: trap },
      { getOwnPropertyDescriptor: trap },
      { get: trap },
    ]) {
      expect(refusal([new Record(1), new Proxy({ a: 1 }, handler)])).toBeInstanceOf(RangeError);
    }
  });

  it("a revoked Proxy is a TypeError", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(refusal([proxy])).toBeInstanceOf(TypeError);
  });

  it("a Proxy that lies about its length is refused or copied, but never for ever", () => {
    for (const length of [-1, 0.5, 2 ** 53, Number.NaN, "7", {}, 2n]) {
      const proxy = new Proxy([], {
        get: (target, key) => (key === "length" ? length : Reflect.get(target, key)),
      });
      expect(refusal(proxy)).toBeInstanceOf(CloneError);
    }
    const longer = new Proxy([1], {
      get: (target, key) => (key === "length" ? 4_000_000_000 : Reflect.get(target, key)),
    });
    expect((subject.copy(longer) as unknown[]).length).toBe(4_000_000_000);
  });

  it("a getter may send a value itself", () => {
    const value = {
      get inner(): unknown {
        return subject.codec.take(
          subject.otherSlot,
          subject.codec.put(subject.otherSlot, { x: [1, "y"] }, "inner"),
        );
      },
      after: "z",
    };
    expect(subject.copy([value, value])).toEqual([
      { inner: { x: [1, "y"] }, after: "z" },
      { inner: { x: [1, "y"] }, after: "z" },
    ]);
  });

  /** An object with a getter that does something. */
  function when(act: () => void): object {
    return Object.defineProperty({}, "act", { get: act, enumerable: true });
  }

  it("a getter that adds to a Map or Set while it is copied does not make it endless", () => {
    const map = new Map<unknown, unknown>();
    const set = new Set<unknown>();
    map.set(
      "first",
      when(() =>
        map.set(
          {},
          when(() => {}),
        ),
      ),
    );
    set.add(when(() => set.add({})));
    expect([subject.copy(map).size, subject.copy(set).size]).toEqual([1, 1]);
  });

  it("a getter that shortens an array leaves holes in the copy", () => {
    const array: unknown[] = [1, 2, when(() => (array.length = 3)), 4, 5];
    const back = subject.copy(array);
    expect([back.length, 3 in back, 4 in back]).toEqual([5, false, false]);
  });

  it("a getter that removes and adds properties: the removed are not copied", () => {
    const object: { [key: string]: unknown } = {};
    object["first"] = when(() => {
      delete object["later"];
      object["new"] = 1;
    });
    object["later"] = 2;
    expect(Object.keys(subject.copy(object))).toEqual(["first"]);
  });

  it("a buffer that a getter shrinks or detaches is refused", () => {
    const Resizable = ArrayBuffer as unknown as new (
      length: number,
      options: object,
    ) => ArrayBuffer & { resize(n: number): void };
    const buffer = new Resizable(4096, { maxByteLength: 4096 });
    const value = {
      buffer,
      held: new Record(1),
      get shrink(): number {
        buffer.resize(10);
        return 1;
      },
    };
    expect(refusal(value)).toBeInstanceOf(CloneError);
  });
});
