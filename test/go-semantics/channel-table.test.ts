import { describe, expect, test } from "vitest";
import * as table from "./channel-table.mjs";
import { onProcs } from "./support/on-procs.ts";

type Outcome = { value?: unknown; error?: string };
type Form = "generator" | "async" | "plain" | "host";

const FORMS: Form[] = ["generator", "async", "plain", "host"];
const CLOSED = { error: "ClosedChannelError: send on closed channel" };
const SENT = { value: undefined };
const selected = (value: unknown): Outcome => ({ value: { index: 1, value } });
const only = (value: unknown): Outcome => ({ value: { index: 0, value } });

/** Sends that go through or throw: by state, with what is left in the channel afterwards. */
const SENDS: [state: string, fails: boolean, left: unknown[]][] = [
  ["empty", false, ["mine"]],
  ["partly full", false, ["first", "mine"]],
  ["closed", true, []],
  ["closed, buffered", true, []],
  ["closed, with values", true, ["first", "second"]],
];

/** Receives that go through: the value, whether it is one, and what is left. */
const RECEIVES: [state: string, value: unknown, ok: boolean, left: unknown[]][] = [
  ["partly full", "first", true, []],
  ["full", "first", true, ["second"]],
  ["closed", undefined, false, []],
  ["closed, buffered", undefined, false, []],
  ["closed, with values", "first", true, ["second"]],
];

/** What waits, and how it ends: with a value that comes, a place that is made, or the channel's end. */
const WAITS: [
  state: string,
  operation: string,
  relief: string,
  outcome: Outcome,
  relieved: unknown,
  left: unknown[],
][] = [
  ["unbuffered", "send", "a value is received", SENT, "mine", []],
  ["unbuffered", "select send", "a value is received", selected(undefined), "mine", []],
  ["unbuffered", "select of one send", "a value is received", only(undefined), "mine", []],
  ["full", "send", "a value is received", SENT, "first", ["second", "mine"]],
  ["full", "select send", "a value is received", selected(undefined), "first", ["second", "mine"]],
  ["full", "select of one send", "a value is received", only(undefined), "first", ["second", "mine"]],
  ["unbuffered", "send", "the channel is closed", CLOSED, "closed", []],
  ["unbuffered", "select send", "the channel is closed", CLOSED, "closed", []],
  ["full", "send", "the channel is closed", CLOSED, "closed", ["first", "second"]],
  ["full", "select send", "the channel is closed", CLOSED, "closed", ["first", "second"]],
  ...["unbuffered", "empty"].flatMap((state): typeof WAITS => [
    [state, "recv", "a value is sent", { value: "theirs" }, "sent", []],
    [state, "recvOk", "a value is sent", { value: ["theirs", true] }, "sent", []],
    [state, "select recv", "a value is sent", selected("theirs"), "sent", []],
    [state, "select recvOk", "a value is sent", selected(["theirs", true]), "sent", []],
    [state, "select of one recv", "a value is sent", only("theirs"), "sent", []],
    [state, "recv", "the channel is closed", { value: undefined }, "closed", []],
    [state, "recvOk", "the channel is closed", { value: [undefined, false] }, "closed", []],
    [state, "select recv", "the channel is closed", selected(undefined), "closed", []],
    [state, "select recvOk", "the channel is closed", selected([undefined, false]), "closed", []],
  ]),
];

const NOT_READY = { value: undefined };

/** What never waits. */
const ATTEMPTS: [state: string, operation: string, outcome: Outcome, left: unknown[]][] = [
  ["unbuffered", "trySend", { value: false }, []],
  ["empty", "trySend", { value: true }, ["mine"]],
  ["partly full", "trySend", { value: true }, ["first", "mine"]],
  ["full", "trySend", { value: false }, ["first", "second"]],
  ["closed", "trySend", CLOSED, []],
  ["closed, buffered", "trySend", CLOSED, []],
  ["closed, with values", "trySend", CLOSED, ["first", "second"]],
  ["unbuffered", "tryRecv", NOT_READY, []],
  ["empty", "tryRecv", NOT_READY, []],
  ["partly full", "tryRecv", { value: ["first", true] }, []],
  ["full", "tryRecv", { value: ["first", true] }, ["second"]],
  ["closed", "tryRecv", { value: [undefined, false] }, []],
  ["closed, buffered", "tryRecv", { value: [undefined, false] }, []],
  ["closed, with values", "tryRecv", { value: ["first", true] }, ["second"]],
  ["unbuffered", "trySelect send", NOT_READY, []],
  ["unbuffered", "trySelect send, only case", NOT_READY, []],
  ["empty", "trySelect send", selected(undefined), ["mine"]],
  ["full", "trySelect send", NOT_READY, ["first", "second"]],
  ["full", "trySelect send, only case", NOT_READY, ["first", "second"]],
  ["closed", "trySelect send", CLOSED, []],
  ["closed", "trySelect send, only case", CLOSED, []],
  ["unbuffered", "trySelect recv", NOT_READY, []],
  ["empty", "trySelect recv", NOT_READY, []],
  ["empty", "trySelect recv, only case", NOT_READY, []],
  ["full", "trySelect recv", selected("first"), ["second"]],
  ["full", "trySelect recv, only case", only("first"), ["second"]],
  ["closed", "trySelect recv", selected(undefined), []],
  ["closed", "trySelect recvOk", selected([undefined, false]), []],
  ["closed, with values", "trySelect recvOk", selected(["first", true]), ["second"]],
  ["unbuffered", "close", { value: undefined }, []],
  ["full", "close", { value: undefined }, ["first", "second"]],
  ["closed", "close", { error: "ClosedChannelError: close of closed channel" }, []],
  [
    "closed, with values",
    "close",
    { error: "ClosedChannelError: close of closed channel" },
    ["first", "second"],
  ],
  ["unbuffered", "length and capacity", { value: [0, 0] }, []],
  ["empty", "length and capacity", { value: [0, 2] }, []],
  ["partly full", "length and capacity", { value: [1, 3] }, ["first"]],
  ["full", "length and capacity", { value: [2, 2] }, ["first", "second"]],
  ["closed, with values", "length and capacity", { value: [2, 2] }, ["first", "second"]],
];

onProcs("channels", (runtime) => {
  /** Body and observer are of the same form, both of the runtime or both of the host. */
  function observe(form: Form, state: string, operation: string, relief?: string): Promise<unknown> {
    if (form === "host") return runtime().enter(() => table.observe.host(state, operation, form, relief));
    return runtime().run(table.observe[form], state, operation, form, relief);
  }

  describe.each(FORMS)("%s", (form) => {
    test.each(SENDS)("%s: a send goes through or throws, it never waits", async (state, fails, left) => {
      for (const operation of ["send", "select send", "select of one send"]) {
        const through =
          operation === "send" ? SENT : operation === "select send" ? selected(undefined) : only(undefined);
        expect(await observe(form, state, operation), operation).toEqual({
          ...(fails ? CLOSED : through),
          relieved: undefined,
          left,
        });
      }
    });

    test.each(RECEIVES)("%s: a receive goes through, it never waits", async (state, value, ok, left) => {
      const outcomes = {
        recv: value,
        recvOk: [value, ok],
        "select recv": selected(value).value,
        "select recvOk": selected([value, ok]).value,
      };
      for (const [operation, outcome] of Object.entries(outcomes)) {
        expect(await observe(form, state, operation), operation).toEqual({
          value: outcome,
          relieved: undefined,
          left,
        });
      }
    });

    test.each(WAITS)("%s: %s waits until %s", async (state, operation, relief, outcome, relieved, left) => {
      expect(await observe(form, state, operation, relief)).toEqual({ ...outcome, relieved, left });
    });
  });

  test.each(ATTEMPTS)("%s: %s", async (state, operation, outcome, left) => {
    expect(await runtime().run(table.attemptBody, state, operation)).toEqual({ ...outcome, left });
    expect(runtime().enter(() => table.attempt(state, operation))).toEqual({ ...outcome, left });
  });

  test.each(["trySend", "trySelect"])("%s meets a receiver that waits", async (operation) => {
    expect(await runtime().run(table.meetReceiver, operation)).toEqual({ value: ["mine", true] });
  });

  test.each(["tryRecv", "trySelect"])("%s meets a sender that waits", async (operation) => {
    expect(await runtime().run(table.meetSender, operation)).toEqual(["mine", true]);
  });

  describe("loops", () => {
    test.each([
      ["closed", []],
      ["closed, buffered", []],
      ["closed, with values", ["first", "second"]],
    ])("%s: end when the channel is drained", async (state, values) => {
      expect(await runtime().run(table.ranged, state)).toEqual(values);
      expect(await runtime().run(table.iterated, state)).toEqual(values);
      expect(await runtime().enter(() => table.iterateOnHost(state))).toEqual(values);
    });

    test.each([0, 1, 7])(
      "wait for values, and end when the channel is closed; capacity %d",
      async (capacity) => {
        const expected = Array.from({ length: 50 }, (_, i) => i);
        expect(await runtime().run(table.rangedLater, capacity, 50)).toEqual(expected);
        expect(await runtime().run(table.iteratedLater, capacity, 50)).toEqual(expected);
        expect(await runtime().enter(() => table.iteratedLaterOnHost(capacity, 50))).toEqual(expected);
      },
    );

    test("that are left early leave the rest in the channel", async () => {
      expect(await runtime().run(table.leftEarly)).toEqual({ open: true, left: ["second", "third"] });
    });
  });
});
