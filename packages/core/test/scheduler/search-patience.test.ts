import { describe, expect, it } from "vitest";
import { SearchPatience } from "../../src/scheduler/search-patience.ts";

/** How many of so many searches in vain were full ones. */
function fullOnes(patience: SearchPatience, searches: number): number {
  let full = 0;
  for (let i = 0; i < searches; i++) if (patience.mayGoOn()) full++;
  return full;
}

describe("the patience of a machine that searches", () => {
  it("does not end with a few searches in vain", () => {
    const patience = new SearchPatience();
    for (let burst = 0; burst < 100; burst++) {
      expect(fullOnes(patience, 5)).toBe(5);
      patience.searchSucceeded();
    }
  });

  it("ends where all searches are in vain, but for a probe now and then", () => {
    const patience = new SearchPatience();
    fullOnes(patience, 100);
    expect(fullOnes(patience, 1600)).toBe(100);
  });

  it("comes back whole with the first success of a probe", () => {
    const patience = new SearchPatience();
    fullOnes(patience, 1000);
    while (!patience.mayGoOn());
    patience.searchSucceeded();
    expect(fullOnes(patience, 8)).toBe(8);
  });
});
