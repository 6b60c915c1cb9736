import { describe, expect, test } from "vitest";
import { BODIES, growing, manyWait } from "./err-group.mjs";
import { onProcs } from "./support/on-procs.ts";

/** Who starts the group, and of which kinds its members are. Members that block a thread would stop an async body that happens to live there: it is not combined with them. */
const FORMS = [
  ["generator", ["generator", "async", "plain"]],
  ["async", ["generator", "async"]],
  ["plain", ["generator", "async", "plain"]],
  ["host", ["generator", "async", "plain"]],
] as const;

const TABLE: Record<string, unknown> = {
  "wait waits for all members": ["no error", 20],
  "without members wait goes through": "no error",
  "the first error is what wait throws, after all have ended": "Error: first",
  "the first error cancels the context, with itself as cause": ["Error: boom", ["boom", "boom"], "boom"],
  "members that wait elsewhere are interrupted": ["Error: boom", true],
  "the context ends when wait returns": [undefined, "CanceledError: context canceled"],
  "the parent's end ends the group": ["no error", ["parent's"]],
  "the group's end does not end the parent": undefined,
  "no more than the limit run at once": [true, 0],
  "go waits at the limit, and its member starts even if nobody waits": [false, "no error"],
  "tryGo starts only below the limit": [true, false],
  "a limit of 0 lets nobody in, a negative one everybody": [false, true, 10],
  "the limit is not changed while members run":
    "MisuseError: errgroup: modify limit while 2 goroutines in the group are still active",
  "a recovered error and goexit are no errors": "no error",
  "groups nest": ["Error: outer", "no error", ["outer"]],
  "a body that cannot be started leaves no trace": [["CloneError", "CloneError", "FunctionError"], true, 1],
};

onProcs("ErrGroup", (runtime) => {
  describe.each(FORMS)("%s", (form, kinds) => {
    describe.each(kinds)("with %s members", (kind) => {
      test.each(Object.entries(TABLE))("%s", async (name, expected) => {
        const body = BODIES[name][form];
        const outcome = form === "host" ? runtime().enter(() => body(kind)) : runtime().run(body, kind);
        expect(await outcome).toEqual(expected);
      });
    });
  });

  test("members add members", async () => {
    expect(await runtime().run(growing, 9)).toBe(1023);
  });

  test("everybody who waits is thrown the error", async () => {
    expect(await runtime().run(manyWait)).toEqual(Array.from({ length: 5 }, () => "boom"));
  });
});
