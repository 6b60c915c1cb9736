import { readFileSync } from "node:fs";
import { type Options, type Program, parse } from "acorn";

/** What all sides compute for one file: the unit of work, and the shape of its result. */
export interface FileCount {
  /** How often each identifier stands in the file's syntax tree. */
  readonly identifiers: Map<string, number>;
  /** Why the file could not be parsed; then nothing is counted. */
  readonly problem?: string;
}

const options: Omit<Options, "sourceType"> = {
  ecmaVersion: "latest",
  allowHashBang: true,
  allowReturnOutsideFunction: true, // CommonJS is a function body
};

export function countFile(path: string): FileCount {
  const source = readFileSync(path, "utf8");
  try {
    return { identifiers: countIdentifiers(parseAnyKind(source)) };
  } catch (error) {
    return { identifiers: new Map(), problem: (error as Error).message };
  }
}

/**
 * A file does not say what it is. As a module first, since most of it is; what a module forbids may still be
 * a script.
 */
function parseAnyKind(source: string): Program {
  try {
    return parse(source, { ...options, sourceType: "module" });
  } catch {
    return parse(source, { ...options, sourceType: "script" });
  }
}

/** Walks with a list of its own: a chain of ten thousand `+` is a tree ten thousand deep. */
function countIdentifiers(program: Program): Map<string, number> {
  const counts = new Map<string, number>();
  const pending: object[] = [program];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (isIdentifier(node)) counts.set(node.name, (counts.get(node.name) ?? 0) + 1);
    const children: unknown[] = Array.isArray(node) ? node : Object.values(node);
    for (const child of children) {
      if (typeof child === "object" && child !== null) pending.push(child);
    }
  }
  return counts;
}

function isIdentifier(node: object): node is { name: string } {
  return "type" in node && node.type === "Identifier";
}
