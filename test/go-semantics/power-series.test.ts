import { context, type Runtime, spawnWith } from "heddle";
import { expect, test } from "vitest";
import { coefficients, coefficientsForHost, network } from "./power-series.mjs";
import { onProcs } from "./support/on-procs.ts";

const EXPECTED: [name: string, coefficients: string][] = [
  ["geometric", "1 1 1 1 1 1 1 1"],
  ["geometric, squared", "1 2 3 4 5 6 7 8 9 10"],
  ["derivative of the integral", "1 1 1 1 1 1"],
  ["exp x", "1 1 1/2 1/6 1/24 1/120 1/720 1/5040 1/40320 1/362880"],
  ["exp x · exp -x", "1 0 0 0 0 0 0 0"],
  ["1 / (1 - x - x²)", "1 1 2 3 5 8 13 21 34 55 89 144"],
  ["tan x", "0 1 0 1/3 0 2/15 0 17/315 0 62/2835"],
  ["sin x", "0 1 0 -1/6 0 1/120 0 -1/5040"],
  ["sin² x + cos² x", "1 0 0 0 0 0 0 0"],
];

/** Runs `use` under a context that ends with it, and the network with the context. */
function withNetwork<T>(runtime: Runtime, use: (start: typeof spawnWith) => Promise<T>): Promise<T> {
  return runtime.enter(async () => {
    const [ctx, cancel] = context.withCancel(context.background());
    try {
      return await use((options, body, ...args) => spawnWith({ ...options, context: ctx }, body, ...args));
    } finally {
      cancel();
    }
  });
}

onProcs("networks of power series that are computed on demand", (runtime) => {
  test.each(EXPECTED)("%s", async (name, expected) => {
    const found = await withNetwork(runtime(), async (start) =>
      start({}, coefficients, name, expected.split(" ").length),
    );
    expect(found.join(" ")).toBe(expected);
  });

  test("asked by the host", async () => {
    const found = await withNetwork(runtime(), async (start) =>
      coefficientsForHost(await start({}, network, "tan x"), 8),
    );
    expect(found.join(" ")).toBe("0 1 0 1/3 0 2/15 0 17/315");
  });
});
