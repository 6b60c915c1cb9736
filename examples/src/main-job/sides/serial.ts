import { countFile } from "../count.ts";
import type { Side } from "../side.ts";
import { addFile, emptyTally } from "../tally.ts";

/** One file after the other on this thread. */
export async function openSerial(): Promise<Side> {
  return {
    async count(paths, progress) {
      const tally = emptyTally();
      for (const [index, path] of paths.entries()) {
        addFile(tally, path, countFile(path));
        progress(index + 1);
      }
      return tally;
    },
    async [Symbol.asyncDispose]() {},
  };
}
