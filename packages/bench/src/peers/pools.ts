/**
 * The pools of the registry, each opened in the way its own documentation shows, with a thread per core.
 *
 * Each stands in a file of its own that is loaded by the side that measures it: no side is to have another's
 * code in its heap.
 */
import type { Context, PoolName, Run, Sample } from "../case.ts";
import type * as piscina from "./piscina.ts";
import type { Pool } from "./pool.ts";

interface PoolModule {
  readonly open: () => Pool;
}

const modules: Readonly<Record<PoolName, () => Promise<PoolModule>>> = {
  piscina: () => import("./pools/piscina.ts"),
  "piscina tuned": () => import("./pools/piscina-tuned.ts"),
  tinypool: () => import("./pools/tinypool.ts"),
  workerpool: () => import("./pools/workerpool.ts"),
  poolifier: () => import("./pools/poolifier.ts"),
  bthreads: () => import("./pools/bthreads.ts"),
  nanothreads: () => import("./pools/nanothreads.ts"),
  comlink: () => import("./pools/comlink.ts"),
  "jest-worker": () => import("./pools/jest-worker.ts"),
};

export const allPools: readonly PoolName[] = Object.keys(modules) as PoolName[];

/** Piscina with settings. (Beside an `await using` the compiler would leave the name of an imported file as it is.) */
export function loadPiscina(): Promise<typeof piscina> {
  return import("./piscina.ts");
}

export function loadPool(name: PoolName): Promise<PoolModule> {
  return modules[name]();
}

/** The same measurement on a number of pools, as sides of a case. */
export function sidesOn(
  names: readonly PoolName[],
  measure: (context: Context, pool: Pool) => Promise<readonly Sample[]>,
): { readonly [name in PoolName]?: Run } {
  return Object.fromEntries(
    names.map((name) => [
      name,
      async (context: Context) => {
        await using pool = (await loadPool(name)).open();
        return await measure(context, pool);
      },
    ]),
  );
}
