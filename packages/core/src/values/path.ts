/**
 * Where in a value the encoder is, for the message of a `CloneError`: `args[0].onDone`.
 *
 * Every property visited stores its key, one write; text is made only when something cannot be copied.
 * Entries of Maps and Sets, which have no key to show, are negative numbers: -1, -2 are key and value of the
 * first entry, and so on.
 */

export type PathKey = string | number;

/** Parts shown of a path that is longer: this many from its beginning and from its end. */
const SHOWN = 8;
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** A path to a container; what the paths of its content begin with. */
export interface PathStart {
  readonly before: PathStart | undefined;
  readonly keys: readonly PathKey[];
}

/** The step for a Map entry's key. A Set's members are shown like values. */
export function keyOfEntry(index: number): PathKey {
  return -2 * index - 1;
}

/** The step for a Map entry's value. */
export function valueOfEntry(index: number): PathKey {
  return -2 * index - 2;
}

function stepText(key: PathKey): string {
  if (typeof key === "string") return IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  if (key >= 0) return `[${key}]`;
  const index = (-key - 1) >>> 1;
  return (key & 1) === 0 ? `.<value ${index}>` : `.<key ${index}>`;
}

/** The text of a path: `where`, the keys of `start` and those before it, then `keys`. */
export function pathText(where: string, start: PathStart | undefined, keys: readonly PathKey[]): string {
  const parts = [keys];
  for (let at = start; at !== undefined; at = at.before) parts.push(at.keys);
  const steps = parts.reverse().flat().map(stepText);
  if (steps.length > 2 * SHOWN + 1) steps.splice(SHOWN, steps.length - 2 * SHOWN, "…");
  return where + steps.join("");
}
