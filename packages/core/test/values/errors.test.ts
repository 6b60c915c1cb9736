import { afterEach, describe, expect, it } from "vitest";
import * as classes from "../../src/base/errors.ts";
import { codecUnderTest, Record } from "./codec-under-test.ts";

const subject = codecUnderTest();
const { copy } = subject;

afterEach(() => subject.expectNothingKept());

describe("an error keeps", () => {
  const builtIn = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

  it.each([...builtIn, ...Object.values(classes)].map((c) => [c.prototype.name, c] as const))(
    "its class %s",
    (name, errorClass) => {
      const error = new errorClass("what went wrong", { cause: { inner: new Map([[1, 2]]) } });
      const back = copy(error);
      expect(Object.getPrototypeOf(back)).toBe(errorClass.prototype);
      expect([back.name, back.message, back.stack]).toEqual([name, error.message, error.stack]);
      expect(back.cause).toEqual({ inner: new Map([[1, 2]]) });
      expect((back as { code?: string }).code).toBe((error as { code?: string }).code);
      expect(back).toStrictEqual(error);
      expect(Object.keys(back)).toEqual(Object.keys(error));
    },
  );

  it("its message, empty or absent", () => {
    expect(Object.hasOwn(copy(new Error()), "message")).toBe(false);
    expect(copy(new Error("")).message).toBe("");
  });

  it("the errors of an AggregateError", () => {
    const back = copy(new AggregateError([new TypeError("a"), 2], "several"));
    expect(back).toBeInstanceOf(AggregateError);
    expect(back.errors[0]).toBeInstanceOf(TypeError);
    expect(back.errors[1]).toBe(2);
    expect(Object.keys(back)).toEqual([]);
  });

  it("a cause that is undefined, and one that is the error itself", () => {
    expect(Object.hasOwn(copy(new Error("x", { cause: undefined })), "cause")).toBe(true);
    const round = new Error("round");
    round.cause = round;
    const back = copy(round);
    expect(back.cause).toBe(back);
  });

  it("its own properties", () => {
    const error = Object.assign(new Error("ENOENT"), {
      code: "ENOENT",
      errno: -2,
      path: "/x",
      details: [1, { a: 1 }],
    });
    expect(copy(error)).toMatchObject({ code: "ENOENT", errno: -2, path: "/x", details: [1, { a: 1 }] });
    expect(Object.keys(copy(error))).toEqual(["code", "errno", "path", "details"]);
  });

  it("the name of a class that is not known here, in the nearest that is", () => {
    class Special extends RangeError {
      override name = "Special";
      extra = 1;
    }
    const back = copy(new Special("s"));
    expect(Object.getPrototypeOf(back)).toBe(RangeError.prototype);
    expect([back.name, back.message, back.extra]).toEqual(["Special", "s", 1]);
    class Derived extends classes.CanceledError {
      override get name(): string {
        return "Derived";
      }
    }
    const derived = copy(new Derived("d"));
    expect(Object.getPrototypeOf(derived)).toBe(classes.CanceledError.prototype);
    expect([derived.name, derived.code]).toEqual(["Derived", "ERR_HEDDLE_CANCELED"]);
  });

  it("name, message and code of a DOMException", () => {
    const controller = new AbortController();
    controller.abort();
    const back = copy(controller.signal.reason as Error & { code: number });
    expect(back).toBeInstanceOf(DOMException);
    expect(copy(back)).toBeInstanceOf(DOMException);
    expect([back.name, back.message, back.code]).toEqual(["AbortError", "This operation was aborted", 20]);
  });

  it("its stack, and has none when it had none", () => {
    const bare = new Error("bare");
    delete (bare as { stack?: string }).stack;
    expect(copy(bare).stack).toBeUndefined();
    expect(copy(new Error("x")).stack).toContain("errors.test.ts");
  });

  it("an old-style class's name and message", () => {
    function Old(this: Error, message: string): void {
      this.message = message;
    }
    Old.prototype = Object.create(TypeError.prototype, { name: { value: "Old" } });
    const back = copy(new (Old as unknown as new (message: string) => Error)("old"));
    expect(back).toBeInstanceOf(TypeError);
    expect([back.name, back.message]).toEqual(["Old", "old"]);
  });
});

describe("what hangs on an error and cannot be copied", () => {
  it("is left behind, and the error arrives", () => {
    const error = Object.assign(new Error("hung up", { cause: { socket: { onClose: () => {} } } }), {
      retry: () => {},
      request: { record: new Record(1), list: [new Uint8Array(2000), "x".repeat(500), { on: () => {} }] },
      status: 503,
    });
    const back = copy(error) as Error & { status: number };
    expect(back.message).toBe("hung up");
    expect(Object.keys(back)).toEqual(["status"]);
    expect(back.cause).toBeUndefined();
  });

  it("does not disturb what follows, nor what it shares with it", () => {
    const shared = { x: 1 };
    const error = Object.assign(new Error("e"), { bad: [shared, () => {}], good: shared });
    const back = copy([error, shared, new Uint8Array(3000).fill(5), new Record(4)]) as [
      Error & { good: object },
      object,
      Uint8Array,
      Record,
    ];
    expect(back[0].good).toBe(back[1]);
    expect(back[2]).toEqual(new Uint8Array(3000).fill(5));
    expect(Record.indexOf(back[3])).toBe(4);
  });
});

it("making an error does not change how deep stacks are", () => {
  const limit = (Error as { stackTraceLimit?: number }).stackTraceLimit;
  copy([new Error("a"), new classes.PanicError("b")]);
  expect((Error as { stackTraceLimit?: number }).stackTraceLimit).toBe(limit);
});
