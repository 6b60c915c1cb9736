/** A runtime in the memory of the explorer, as each of its threads has it: the regions of the kernel, words in which models note things, and the lists in which threads write down what they hold. */

import type { ModelMemory } from "@heddle/testkit";
import { registerKinds } from "../../src/context/kinds.ts";
import {
  CACHE_WORDS,
  G_WORDS,
  M_WORDS,
  O_WORDS,
  P_WORDS,
  POOL_WORDS,
  T_WORDS,
} from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { IdleCoordinator } from "../../src/scheduler/idle/idle-coordinator.ts";
import { becomeMachine, setHostResolver } from "../../src/scheduler/thread/ambient.ts";
import type { Holdings } from "../../src/scheduler/thread/holdings.ts";
import { HostThread } from "../../src/scheduler/thread/host.ts";
import type { ThreadParts } from "../../src/scheduler/thread/thread.ts";
import { threadParts } from "../../src/scheduler/thread/thread-parts.ts";
import type { TextPort } from "../../src/values/text.ts";
import { type ModelShape, modelLayout, modelMemory, modelWords } from "./model-memory.ts";

/** Words that scenarios note things in. */
export const NOTES = 64;
/** Words for what is noted of a role. */
export const ROLE_WORDS = 4;
/** Roles that a scenario may have. */
export const MOST_ROLES = 8;
/** Entries of each of a thread's five lists, one of them of doubles. */
const LIST_WORDS = 8;
const HOLDINGS_WORDS = 6 * LIST_WORDS;

/** The machine that dies. */
export const VICTIM = 1;

/** What the threads of a model share. */
export interface World {
  readonly memory: SharedMemory;
  /** First word behind the runtime's own. */
  readonly notes: number;
  /** Numbers of what the goroutines share. */
  readonly objects: readonly number[];
}

/** Words of a model of this shape. */
export function wordsOf(shape: ModelShape): number {
  const { maxMachines = 2 } = shape;
  return modelWords(shape) + NOTES + MOST_ROLES * ROLE_WORDS + (maxMachines + 1) * HOLDINGS_WORDS;
}

/** The memory of a runtime in which nothing has happened. */
export function newWorld(views: ModelMemory, shape: ModelShape): World {
  return { memory: modelMemory(views, shape), notes: modelWords(shape), objects: [] };
}

/** Strings byte by byte, since views of the model's memory cannot be had. */
const modelText: TextPort = {
  over: (bytes) => ({
    writeLatin1(offset, text) {
      for (let i = 0; i < text.length; i++) bytes[offset + i] = text.charCodeAt(i);
    },
    readLatin1: (offset, length) =>
      String.fromCharCode(...Array.from({ length }, (_, i) => bytes[offset + i] as number)),
    writeUtf16(offset, text) {
      for (let i = 0; i < 2 * text.length; i++)
        bytes[offset + i] = (text.charCodeAt(i >> 1) >>> (8 * (i & 1))) & 255;
    },
    readUtf16: (offset, length) =>
      String.fromCharCode(
        ...Array.from(
          { length },
          (_, i) => (bytes[offset + 2 * i] as number) | ((bytes[offset + 2 * i + 1] as number) << 8),
        ),
      ),
  }),
};

/** A list in the model's memory: what is written beyond its end is dropped, as by a view. `empty` is of the same kind. */
function listAt<View extends Int32Array | Float64Array>(words: View, at: number, empty: View): View {
  const fill = (value: number, start = 0, end = LIST_WORDS): void => {
    for (let i = start; i < Math.min(end, LIST_WORDS); i++) words[at + i] = value;
  };
  return new Proxy(empty, {
    get: (_target, key) => {
      if (key === "length") return LIST_WORDS;
      return key === "fill" ? fill : words[at + Number(String(key))];
    },
    set: (_target, key, value: number) => {
      const index = Number(String(key));
      if (index < LIST_WORDS) words[at + index] = value;
      return true;
    },
  });
}

/** The lists of a machine's thread. */
export function holdingsOf({ memory, notes }: World, machine: number): Holdings {
  const at = notes + NOTES + MOST_ROLES * ROLE_WORDS + machine * HOLDINGS_WORDS;
  const { i32, f64 } = memory;
  const list = (first: number): Int32Array => listAt(i32, first, new Int32Array(0));
  return {
    selects: listAt(f64, at / 2, new Float64Array(0)),
    handles: list(at + 2 * LIST_WORDS),
    objects: list(at + 3 * LIST_WORDS),
    timers: list(at + 4 * LIST_WORDS),
    readings: list(at + 5 * LIST_WORDS),
  };
}

/** What a thread works with. */
export function partsOf(world: World, number: number): ThreadParts {
  const { memory } = world;
  const parts = threadParts({ memory, number, text: modelText });
  return { ...parts, holdings: holdingsOf(world, number) };
}

/** The host in a thread of the model: what it starts is published at once, and the lists, which a real host makes, are there already. */
class ModelHost extends HostThread {
  override enqueueNew(goroutine: number): void {
    this.globalQueue.push(goroutine);
    this.idle.wakeOneIfIdle();
  }
}

/** The host of a thread of the model; the first one makes the lists of the idle. */
export function hostOf(world: World, isFirst: boolean): HostThread {
  const { initialise } = IdleCoordinator.prototype;
  if (!isFirst) IdleCoordinator.prototype.initialise = () => {};
  try {
    const host = new ModelHost(partsOf(world, 0), {
      keepAlive: () => {},
      expectResults: () => {},
      rejectWithSite: () => {},
    });
    registerKinds(host);
    becomeMachine(undefined);
    setHostResolver(() => host);
    return host;
  } finally {
    IdleCoordinator.prototype.initialise = initialise;
  }
}

/** Names words in traces. */
export function wordNames(shape: ModelShape): (word: number) => string | undefined {
  const { processors, machines, goroutines, objects, caches, pools, functions, slab, timers } =
    modelLayout(shape);
  const regions: [name: string, base: number, stride: number, end: number][] = [
    ["pool", pools, POOL_WORDS, caches],
    ["cache", caches, CACHE_WORDS, processors],
    ["P", processors, P_WORDS, machines],
    ["M", machines, M_WORDS, functions],
    ["object", objects, O_WORDS, goroutines],
    ["G", goroutines, G_WORDS, timers],
    ["timer", timers, T_WORDS, slab],
  ];
  return (word) => {
    const region = regions.find(([, base, , end]) => word >= base && word < end);
    if (region === undefined)
      return word >= modelWords(shape) ? `note ${word - modelWords(shape)}` : undefined;
    const [name, base, stride] = region;
    return `${name}${Math.floor((word - base) / stride)}+${(word - base) % stride}`;
  };
}
