/**
 * The module that all bodies of the scenario faults are found in (bodies.ts loads all of them at once).
 *
 * A thread that has loaded one body can then begin any. Had each file to be loaded by itself, threads that live for a second only would often end while they load one, and goroutines that have waited on five of those are given up.
 */
export const home = { url: new URL("./bodies.js", import.meta.url).href } as ImportMeta;
