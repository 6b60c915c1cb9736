// Programs written against contract.d.ts must type-check against the package: all it exports is there, and fits.

import type * as heddle from "heddle";
import { describe, expect, test } from "tstyche";
import type * as contract from "./contract.d.ts";

describe("values", () => {
  test("every function and class of the contract is exported, and can stand in for it", () => {
    // `tasks` by itself below: TypeScript never finds two generic functions alike whose results are mapped types.
    expect<typeof heddle>().type.toBeAssignableTo<Omit<typeof contract, "tasks">>();
  });

  test("tasks gives the same for the same module", () => {
    interface Work {
      measure(path: string): number;
      walk(path: string): Generator<heddle.Suspension, string[], unknown>;
      readonly version: string;
    }
    expect<ReturnType<typeof heddle.tasks<Work>>>().type.toBe<ReturnType<typeof contract.tasks<Work>>>();
    expect<typeof heddle.tasks<Work>>().type.toBeAssignableTo<typeof contract.tasks<Work>>();
  });
});

describe("types that programs receive", () => {
  test("operations, channels, handles", () => {
    expect<heddle.Op<string>>().type.toBeAssignableTo<contract.Op<string>>();
    expect<heddle.ChanOp<string>>().type.toBeAssignableTo<contract.ChanOp<string>>();
    expect<heddle.Chan<string>>().type.toBeAssignableTo<contract.Chan<string>>();
    expect<heddle.SendChan<string>>().type.toBeAssignableTo<contract.SendChan<string>>();
    expect<heddle.RecvChan<string>>().type.toBeAssignableTo<contract.RecvChan<string>>();
    expect<heddle.Received<string>>().type.toBe<contract.Received<string>>();
    expect<heddle.Handle<string>>().type.toBeAssignableTo<contract.Handle<string>>();
    expect<heddle.Goroutine<string>>().type.toBe<contract.Goroutine<string>>();
    expect<heddle.Suspension>().type.toBe<contract.Suspension>();
  });

  test("contexts, timers, the runtime", () => {
    expect<heddle.Context>().type.toBeAssignableTo<contract.Context>();
    expect<heddle.CancelFunc>().type.toBe<contract.CancelFunc>();
    expect<heddle.Timer>().type.toBeAssignableTo<contract.Timer>();
    expect<heddle.Runtime>().type.toBeAssignableTo<contract.Runtime>();
    expect<heddle.RuntimeStats>().type.toBeAssignableTo<contract.RuntimeStats>();
  });

  test("what select gives", () => {
    type Cases = [contract.ChanOp<number>, undefined, false, contract.ChanOp<contract.Received<string>>];
    expect<heddle.Selected<Cases>>().type.toBe<contract.Selected<Cases>>();
  });
});

describe("types that programs give", () => {
  test("bodies, options, cases", () => {
    expect<contract.GoFunction<[a: string], number>>().type.toBe<heddle.GoFunction<[a: string], number>>();
    expect<contract.SpawnOptions>().type.toBeAssignableTo<heddle.SpawnOptions>();
    expect<contract.RuntimeOptions>().type.toBeAssignableTo<heddle.RuntimeOptions>();
    expect<contract.SelectCase>().type.toBeAssignableTo<heddle.SelectCase>();
  });

  test("operations, channels, handles and contexts of the program's own making", () => {
    expect<contract.Op<string>>().type.toBeAssignableTo<heddle.Op<string>>();
    expect<contract.ChanOp<string>>().type.toBeAssignableTo<heddle.ChanOp<string>>();
    expect<contract.Chan<string>>().type.toBeAssignableTo<heddle.Chan<string>>();
    expect<contract.Handle<string>>().type.toBeAssignableTo<heddle.Handle<string>>();
    expect<contract.Timer>().type.toBeAssignableTo<heddle.Timer>();
    expect<contract.Context>().type.toBeAssignableTo<heddle.Context>();
  });
});
