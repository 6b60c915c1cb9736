import { describe, expect, it } from "vitest";
import { SpinPatience } from "../../src/scheduler/idle/spin-patience.ts";

/** How many of so many times in vain were full ones. */
function fullOnes(patience: SpinPatience, times: number): number {
  let full = 0;
  for (let i = 0; i < times; i++) if (patience.mayGoOn()) full++;
  return full;
}

describe("the patience of a thread that looks before it sleeps", () => {
  it("does not end with a few times in vain", () => {
    const patience = new SpinPatience();
    for (let burst = 0; burst < 100; burst++) {
      expect(fullOnes(patience, 5)).toBe(5);
      patience.succeeded();
    }
  });

  it("ends where it is always in vain, but for a probe now and then", () => {
    const patience = new SpinPatience();
    fullOnes(patience, 100);
    expect(fullOnes(patience, 1600)).toBe(100);
  });

  it("comes back whole with the first success of a probe", () => {
    const patience = new SpinPatience();
    fullOnes(patience, 1000);
    while (!patience.mayGoOn());
    patience.succeeded();
    expect(fullOnes(patience, 8)).toBe(8);
  });
});
