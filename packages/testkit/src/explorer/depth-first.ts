/**
 * Depth-first search through all schedules with at most so many preemptions.
 *
 * The first execution always takes the first decision. Wherever there were several, the state is kept; after each execution the search
 * goes back to the latest state with a decision untried and runs on from there. Nothing before that state is executed again.
 */

import { type Decision, PRUNED } from "./decision.ts";
import type { Model, SavedModel } from "./model.ts";
import type { Chooser } from "./runner.ts";
import { VisitedStates } from "./visited-states.ts";

/** A state with several decisions. */
interface Branch {
  readonly saved: SavedModel;
  readonly decisions: readonly Decision[];
  /** The next decision to try. */
  next: number;
}

export class DepthFirst implements Chooser {
  private readonly maxPreemptions: number;
  private readonly visited: VisitedStates | undefined;
  private readonly branches: Branch[] = [];

  /** With `reduce`, what follows a state is explored once, however many schedules lead to the state. */
  constructor(maxPreemptions: number, reduce: boolean) {
    this.maxPreemptions = maxPreemptions;
    this.visited = reduce ? new VisitedStates() : undefined;
  }

  choose(model: Model, decisions: readonly Decision[]): Decision {
    const left = this.maxPreemptions - model.state.preemptions;
    if (this.visited !== undefined && !this.isNew(this.visited, model, left)) return PRUNED;
    if (decisions.length > 1) this.branch(model, decisions, left);
    return decisions[0] as Decision; // never empty, and the first is never a preemption
  }

  private isNew(visited: VisitedStates, model: Model, left: number): boolean {
    const isBounded = left !== Infinity;
    return visited.add(model.fingerprint(0, isBounded), model.fingerprint(1, isBounded), left);
  }

  private branch(model: Model, decisions: readonly Decision[], left: number): void {
    const allowed =
      left > 0 ? decisions.slice() : decisions.filter((decision) => !model.isPreemption(decision));
    if (allowed.length > 1) this.branches.push({ saved: model.save(), decisions: allowed, next: 1 });
  }

  /** Takes the model back to the latest state with a decision untried and returns that decision; undefined if there is none. */
  backtrack(model: Model): Decision | undefined {
    const branch = this.branches.at(-1);
    if (branch === undefined) return undefined;
    model.restore(branch.saved);
    const decision = branch.decisions[branch.next++];
    if (branch.next === branch.decisions.length) this.branches.pop();
    return decision;
  }
}
