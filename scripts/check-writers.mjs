// Holds the `@writer` of each word in packages/core/src/memory/layout.ts against the sources: a word of the shared memory is
// written only by the modules it names, and by those of `repair` when the thread that should have written it has died. No two
// words of a record may lie in one place. `@writer` is a list of modules (`goroutine/status`), folders (`sync`), or the word
// `anyone`, each perhaps with a remark in parentheses. `@reader` is held to the names of modules that exist.
//
// What counts as a write: an assignment, `++` or `--` to an element of a view, a changing call of Atomics, taking or
// releasing a thread lock, a value put into a slot by the codec. The word is found by its constant in the index: as a term of
// the sum itself, through a constant of the module that was made from it (`const STATUS = G_STATUS`), or through a local
// one that holds the place (`const head = base + X_CHILD`). Places handed to a function of another module are that
// module's to write: a queue of waiters is goroutine/wait-queue's, whatever the record.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { allConstants, coreSources, isWord, readLayout } from "./layout-words.mjs";

const CHANGING = new Set(["store", "add", "sub", "and", "or", "xor", "exchange", "compareExchange"]);
const LOCKING = new Set(["acquire", "tryAcquire", "release", "releaseIfHeldBy"]);

// ── what the layout says ──

/** The modules and folders that a tag names; remarks in parentheses are left out. */
function named(tag) {
  return tag
    .replace(/\([^)]*\)/g, "")
    .split(",")
    .map((name) => name.trim());
}

/** Names that stand for more than a module of core. */
const OTHERS = new Set(["all", "anyone", "host", "tests"]);

function exists(name) {
  if (OTHERS.has(name)) return true;
  const path = join(coreSources, name);
  return existsSync(`${path}.ts`) || (existsSync(path) && statSync(path).isDirectory());
}

/** Puts right what a thread that died has left half done: any word, in its owner's place. */
const REPAIR = "repair/";

function mayWrite(module, writers) {
  return (
    module.startsWith(REPAIR) ||
    writers.some((name) => name === "anyone" || module === name || module.startsWith(`${name}/`))
  );
}

// ── what a module does ──

/** Terms of a sum, and of what is shifted or divided: the parts of an index that are places rather than values found there. */
function terms(node) {
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return terms(node.expression);
  if (!ts.isBinaryExpression(node)) return [node];
  return [...terms(node.left), ...terms(node.right)];
}

/** A module's own names: what its constants were made from. */
class Names {
  #words;
  #made = new Map();

  constructor(words) {
    this.#words = words;
  }

  declare(name, initializer) {
    const words = this.wordsIn(initializer);
    if (words.length > 0) this.#made.set(name, words);
  }

  /** The words that an index is made of. */
  wordsIn(expression) {
    return terms(expression)
      .filter(ts.isIdentifier)
      .flatMap(({ text }) => this.#made.get(text) ?? (this.#words.has(text) ? [text] : []));
  }
}

function isAssignment(node) {
  const { kind } = node.operatorToken;
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

function isStep({ operator }) {
  return operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken;
}

/** The index that a call writes at, if it does. */
function indexWrittenBy({ expression, arguments: given }) {
  if (ts.isIdentifier(expression)) return LOCKING.has(expression.text) ? given[1] : undefined;
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  const method = expression.name.text;
  const owner = expression.expression.getText();
  if (owner === "Atomics") return CHANGING.has(method) ? given[1] : undefined;
  return method === "put" && /(?:^|\.)codec$/.test(owner) ? given[0] : undefined;
}

/** The index that a node writes at, if it does. */
function indexWritten(node) {
  if (ts.isCallExpression(node)) return indexWrittenBy(node);
  let written;
  if (ts.isBinaryExpression(node) && isAssignment(node)) written = node.left;
  else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    if (isStep(node)) written = node.operand;
  }
  return written !== undefined && ts.isElementAccessExpression(written)
    ? written.argumentExpression
    : undefined;
}

/** Every write of a word in a module: which, and in what line. */
function writesIn(file, words) {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(coreSources, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const names = new Names(words);
  const writes = [];
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      names.declare(node.name.text, node.initializer);
    }
    const index = indexWritten(node);
    if (index !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      for (const word of names.wordsIn(index)) writes.push({ word, line });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return writes;
}

// ── the check ──

const { regions } = await readLayout();
const constants = allConstants(regions);
const words = new Map(constants.filter(isWord).map((constant) => [constant.name, constant]));
const complaints = [];

for (const { name, line, text, writer, reader } of constants) {
  const at = `packages/core/src/memory/layout.ts:${line}: ${name}`;
  if (text === "") complaints.push(`${at} has no description`);
  if ((writer === undefined) !== (reader === undefined))
    complaints.push(`${at} has only one of @writer and @reader`);
  for (const place of [...named(writer ?? "all"), ...named(reader ?? "all")]) {
    if (!exists(place)) complaints.push(`${at} names ${place}, which is not a module or folder of core`);
  }
}

/** Words that lie upon others on purpose: their comments say why. */
const OVERLAID = new Set(["G_WAITER"]);

for (const region of regions) {
  const places = new Map();
  for (const { name, value, line } of allConstants([region]).filter(isWord)) {
    if (OVERLAID.has(name)) continue;
    const place = `${name.split("_")[0]} ${value}`;
    const other = places.get(place);
    if (other !== undefined)
      complaints.push(`packages/core/src/memory/layout.ts:${line}: ${name} lies where ${other} does`);
    places.set(place, name);
  }
}

let count = 0;
for (const file of readdirSync(coreSources, { recursive: true }).map(String).sort()) {
  if (!file.endsWith(".ts")) continue;
  const module = file.replace(/\.ts$/, "");
  for (const { word, line } of writesIn(file, words)) {
    count++;
    const { writer } = words.get(word);
    if (mayWrite(module, named(writer))) continue;
    complaints.push(`packages/core/src/${file}:${line}: writes ${word}, whose @writer is ${writer}`);
  }
}

for (const complaint of complaints) console.error(complaint);
if (complaints.length === 0)
  console.log(`${count} writes of ${words.size} words, all by those the layout names.`);
process.exit(complaints.length === 0 ? 0 : 1);
