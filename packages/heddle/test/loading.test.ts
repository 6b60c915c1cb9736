import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { FunctionError, goroutine, NoRuntimeError, tasks } from "heddle";
import { describe, expect, test } from "vitest";
import { declared, declareLate } from "./fixtures/modules/declares.mjs";
import type * as unchangedModule from "./fixtures/modules/unchanged.mjs";
import { PROCS, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

const moduleUrl = (name: string): URL => new URL(`./fixtures/modules/${name}`, import.meta.url);
const unchanged = tasks<typeof unchangedModule>(moduleUrl("unchanged.mjs"));
type AnyTasks = Record<string, (...args: unknown[]) => unknown>;
const anyTasks = (url: URL | string): AnyTasks => tasks<AnyTasks>(url);

describe.each(PROCS)("on %i processors", (procs) => {
  test("functions of an unchanged module, of every kind", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(unchanged.measure, "four")).toBe(4);
      expect(await runtime.run(unchanged.later, 1)).toBe(2);
      expect(await runtime.run(unchanged.counts as unknown as (n: number) => number, 4)).toBe(8);
      expect(await runtime.run(unchanged.arrow, 3)).toBe(-3);
      expect(await runtime.run(unchanged.default)).toBe("the default export");
    });
  });

  test(".js, CommonJS, and modules that are data", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(anyTasks(moduleUrl("unchanged.js"))["fromJs"], 1)).toBe(2);
      expect(await runtime.run(anyTasks(moduleUrl("unchanged.cjs"))["fromCommonJs"], 1)).toBe(3);
      const data = "data:text/javascript,export const triple = (n) => 3 * n";
      expect(await runtime.run(anyTasks(data)["triple"], 5)).toBe(15);
    });
  });

  test("bodies that are declared and not exported, or under another name", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(declared.hidden, 1)).toBe(101);
      expect(await runtime.run(declared.renamed, 1)).toBe(201);
    });
  });

  test("a module that takes its time, while many already want it", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const { slow } = anyTasks(moduleUrl("slow.mjs"));
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      expect(await Promise.all(numbers.map((n) => runtime.run(slow, n)))).toEqual(numbers);
    });
  });

  test("what cannot be loaded or found fails at the joiner, names module and name, and hurts nobody else", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const cases: [AnyTasks, string, string, RegExp][] = [
        [anyTasks(moduleUrl("nowhere.mjs")), "anything", "nowhere.mjs", /cannot load.*(find|exist)/i],
        [
          anyTasks(moduleUrl("throws-at-load.mjs")),
          "never",
          "throws-at-load.mjs",
          /this module does not load/,
        ],
        [
          anyTasks("data:text/javascript,export function never() { return ; ) }"),
          "never",
          "data:",
          /Unexpected token/,
        ],
        [anyTasks(moduleUrl("unchanged.mjs")), "nobody", "unchanged.mjs", /neither declared nor exported/],
        [anyTasks(moduleUrl("unchanged.mjs")), "notAFunction", "unchanged.mjs", /not a function/],
      ];
      for (const [module, name, url, reason] of cases) {
        const failing = Array.from({ length: 3 }, () => rejection(runtime.run(module[name])));
        for (const error of await Promise.all(failing)) {
          expect(error).toBeInstanceOf(FunctionError);
          const { message } = error as Error;
          expect(message).toContain(url);
          expect(message).toContain(name);
          expect(message).toMatch(reason);
        }
        expect(await runtime.run(unchanged.measure, "goes on")).toBe(7);
      }
    });
  });

  test("the error that a module threw is the cause", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const error = await rejection(runtime.run(anyTasks(moduleUrl("throws-at-load.mjs"))["never"]));
      expect((error as Error).cause).toBeInstanceOf(RangeError);
    });
  });

  test.each(["runs-at-top.mjs", "starts-at-top.mjs"])(
    "%s, which starts a program while a machine loads it",
    async (name) => {
      await withRuntime({ procs }, async (runtime) => {
        const error = await rejection(runtime.run(anyTasks(moduleUrl(name))["answer"]));
        expect(error).toBeInstanceOf(FunctionError);
        const { message, cause } = error as Error;
        expect(cause).toBeInstanceOf(NoRuntimeError);
        expect(message).toContain(name);
        expect(message).toMatch(/top level of a module/);
        expect(message).toMatch(/isMainThread/);
        expect(await runtime.run(unchanged.measure, "")).toBe(0);
      });
    },
  );
});

test("a body that is declared too late for the machines", async () => {
  await withRuntime({ procs: 1 }, async (runtime) => {
    const error = await rejection(runtime.run(declareLate()));
    expect(error).toBeInstanceOf(FunctionError);
    expect((error as Error).message).toMatch(/"late" is neither declared nor exported in .*declares\.mjs/);
  });
});

describe("refused at the caller", () => {
  const refusal = (call: () => unknown): string => {
    const error = thrownBy(call);
    expect(error).toBeInstanceOf(FunctionError);
    return (error as Error).message;
  };

  test("functions that were never declared, and what is no function", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const undeclared = function undeclared(): void {};
      expect(refusal(() => runtime.go(undeclared))).toMatch(
        /undeclared is not declared.*goroutine\(import\.meta/,
      );
      expect(refusal(() => runtime.spawn(() => 1))).toMatch(/an anonymous function is not declared/);
      expect((await rejection(runtime.run(undeclared))) as Error).toBeInstanceOf(FunctionError);
      for (const [value, told] of [
        [undefined, "undefined"],
        [null, "null"],
        ["text", '"text"'],
        [{}, "an object"],
      ] as const) {
        expect(refusal(() => runtime.go(value as unknown as () => void))).toContain(told);
      }
    });
  });

  test("a reference that is called", () => {
    expect(refusal(() => unchanged.measure("text"))).toMatch(/measure of .*unchanged\.mjs is a reference/);
  });

  test("tasks of a relative path, or of nothing", () => {
    expect(refusal(() => anyTasks("./work.mjs"))).toMatch(/new URL\("\.\/work\.js", import\.meta\.url\)/);
    expect(refusal(() => anyTasks(undefined as unknown as string))).toContain("undefined");
  });

  test("declarations: a second one of a name, one without a name, of no function, of no module", async () => {
    const error = await rejection(import("./fixtures/modules/twice.mjs"));
    expect((error as Error).message).toMatch(/a second body named "one" in .*twice\.mjs/);
    const meta = { url: "file:///somewhere.mjs" } as ImportMeta;
    expect(refusal(() => goroutine(meta, () => 1))).toMatch(/without a name/);
    expect(refusal(() => goroutine(meta, 7 as unknown as () => void))).toMatch(/a number/);
    expect(refusal(() => goroutine(undefined as unknown as ImportMeta, function f() {}))).toMatch(
      /import\.meta/,
    );
  });

  test("a reference is the same function each time, and no promise", async () => {
    expect(unchanged.measure).toBe(unchanged.measure);
    expect(await Promise.resolve(unchanged)).toBe(unchanged);
  });
});

test("TypeScript bodies, when the process itself runs TypeScript", async () => {
  const program = fileURLToPath(new URL("./fixtures/typescript/program.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", program]);
  expect(stdout).toBe("typed 42\ngenerated 6\nunchanged 4\n");
});
