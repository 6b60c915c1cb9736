import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Limits {
  /** How many files. */
  readonly files: number;
  /** How much in all. */
  readonly megabytes: number;
  /** How large a single file may be: beyond this it is a bundle rather than a source. */
  readonly fileKilobytes: number;
}

/** The files of the job. The same tree and limits give the same selection on every machine. */
export interface Selection {
  /** Absolute paths, in the order of their paths below the root. */
  readonly paths: readonly string[];
  readonly bytes: number;
  /** TypeScript files, which the parser does not read. */
  readonly skipped: number;
  /** JavaScript files beyond the limits. */
  readonly left: number;
}

const JAVASCRIPT = /\.[cm]?js$/;
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** Takes JavaScript files below `root` in sorted order, as far as the limits allow. */
export function selectFiles(root: string, limits: Limits): Selection {
  const found = listFiles(root);
  const javascript = found.filter((file) => JAVASCRIPT.test(file));
  const paths: string[] = [];
  let bytes = 0;
  for (const file of javascript) {
    const path = join(root, file);
    const { size } = statSync(path);
    if (size > limits.fileKilobytes * 1e3) continue;
    if (paths.length >= limits.files || bytes + size > limits.megabytes * 1e6) break;
    paths.push(path);
    bytes += size;
  }
  const skipped = found.filter((file) => TYPESCRIPT.test(file)).length;
  return { paths, bytes, skipped, left: javascript.length - paths.length };
}

/**
 * Every regular file below `root`, relative to it and sorted. Links are not followed, so no file comes twice
 * and no circle is walked: pnpm's packages are real directories under `.pnpm`, and each link leads to one of
 * them or out of `node_modules`.
 */
function listFiles(root: string): string[] {
  const files: string[] = [];
  const directories = [""];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) directories.push(path);
      else if (entry.isFile()) files.push(path);
    }
  }
  return files.sort(byCodeUnits);
}

/** Not by locale: the order must be the same everywhere. */
function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
