/** What goroutines of mortal runtimes do: roles, each played once, whose beginning and end are noted in the model's memory. */

import { type Body, declareBody } from "../../src/goroutine/functions.ts";
import { M_ATTENTION, M_GRANT, M_INBOX, M_LIFE, M_PARK, M_WORDS } from "../../src/memory/layout.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { LIFE_ALIVE, LIFE_STARTING } from "../../src/scheduler/idle/machine-life.ts";
import type { Machine } from "../../src/scheduler/machine/machine.ts";
import { currentMachine } from "../../src/scheduler/thread/ambient.ts";
import type { GoroutineHandle } from "../../src/scheduler/thread/handle.ts";
import { MOST_ROLES, NOTES, ROLE_WORDS, VICTIM, type World } from "./mortal-world.ts";

/** Where the thread stands that runs now: its bodies find it here. */
let now: Standpoint | undefined;

/** What a thread tells the bodies that run on it. */
export interface Standpoint {
  readonly i32: Int32Array;
  readonly world: World;
  /** 0 for the host. */
  readonly machine: number;
  readonly spinHint: () => void;
}

/** This thread of the model runs from now on. */
export function standAt(standpoint: Standpoint): void {
  now = standpoint;
}

function here(): Standpoint {
  return now as Standpoint; // every thread says where it stands before it runs a body
}

/** What is noted of a role: how often it began, ended and was lost, and the machine on which it began. */
export const BEGAN = 0;
export const ENDED = 1;
export const LOST = 2;
export const WHERE = 3;

/** Notes of a scenario, kept in the model's memory: words 0 to 63, 0 at first. */
export function note(word: number, by = 1): void {
  const { i32, world } = here();
  i32[world.notes + word] = (i32[world.notes + word] as number) + by;
}

/** What goroutines of one kind do; one of them in each execution. */
export interface Role {
  readonly name: string;
  readonly body: Body;
  /** Its place among all roles of the scenario. */
  readonly place: number;
}

let roles = 0;

/** Declares a role. `act` must not change anything but through the runtime and `note`. */
export function role<Args extends unknown[]>(act: (...args: Args) => Goroutine<unknown>): Role {
  const place = roles++ % MOST_ROLES;
  const name = `role${roles}`;
  function* body(...args: Args): Goroutine<unknown> {
    const { machine, i32, world } = here();
    i32[roleWord(world, place) + WHERE] = machine;
    mark(place, BEGAN);
    const result = yield* act(...args);
    mark(place, ENDED);
    return result;
  }
  return { name, place, body: declareBody({ url: "model:mortal" }, body as Body, name) };
}

/** First word of what is noted of a role. */
export function roleWord({ notes }: World, place: number): number {
  return notes + NOTES + place * ROLE_WORDS;
}

export function mark(place: number, what: number): void {
  const { i32, world } = here();
  i32[roleWord(world, place) + what] = (i32[roleWord(world, place) + what] as number) + 1;
}

/** Whether a role has ended, as it says itself. */
export function hasEnded(each: Role): boolean {
  return markOf(each, ENDED) > 0;
}

/** Whether a role has been reported lost. */
export function isLost(each: Role): boolean {
  return markOf(each, LOST) > 0;
}

function markOf({ place }: Role, what: number): number {
  const { i32, world } = here();
  return i32[roleWord(world, place) + what] as number;
}

/** The value of a note. */
export function noted(word: number): number {
  const { i32, world } = here();
  return i32[world.notes + word] as number;
}

/** Keeps the machine busy until something has come about that the other machine brings about; not when that machine has died. */
export function busyUntil(condition: () => boolean): void {
  const { i32, world, spinHint } = here();
  const life = world.memory.layout.machines + VICTIM * M_WORDS + M_LIFE;
  while (!condition()) {
    const state = Atomics.load(i32, life);
    if (state !== LIFE_STARTING && state !== LIFE_ALIVE) return;
    spinHint();
  }
}

/** Keeps the machine busy until others have noted that they have come, too, so that no two of them are on one machine. */
export function meet(word: number, parties = 2): void {
  const { i32, world } = here();
  Atomics.add(i32, world.notes + word, 1);
  busyUntil(() => Atomics.load(i32, world.notes + word) >= parties);
}

/** For `afterwards`: waits until the living machines sleep, or are about to with nothing left for them. Nobody wakes them then but the host, whose thread this is. */
export function waitForQuiet(): void {
  const { i32, world, spinHint } = here();
  const { layout, shape } = world.memory;
  for (let m = 1; m <= shape.maxMachines; m++)
    while (m !== VICTIM && !isQuiet(i32, layout.machines + m * M_WORDS)) spinHint();
}

/** Whether a machine has said that it sleeps, and its last look will find nothing. */
function isQuiet(i32: Int32Array, machine: number): boolean {
  return (
    Atomics.load(i32, machine + M_PARK) !== 0 &&
    [M_INBOX, M_GRANT, M_ATTENTION].every((word) => Atomics.load(i32, machine + word) === 0)
  );
}

/** Starts a goroutine of a role, of which nobody has a handle. */
export function start(each: Role, ...args: unknown[]): void {
  (currentMachine as Machine).go(each.body, args);
}

/** Starts a goroutine of a role that somebody waits for. */
export function spawn(each: Role, ...args: unknown[]): GoroutineHandle<unknown> {
  return (currentMachine as Machine).spawn(each.body, args);
}
