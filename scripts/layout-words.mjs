// Reads packages/core/src/memory/layout.ts: its regions, its constants and what their comments say.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "./steps.mjs";

export const coreSources = join(root, "packages/core/src");
const layoutFile = join(coreSources, "memory/layout.ts");

/**
 * @typedef {object} Constant
 * @property {string} name
 * @property {number} value
 * @property {string} text what the comment says before its tags
 * @property {string | undefined} writer
 * @property {string | undefined} reader
 * @property {string | undefined} initial
 * @property {number} line from 1
 *
 * @typedef {object} Group constants under one `//` comment
 * @property {string} text
 * @property {Constant[]} constants
 *
 * @typedef {object} Region
 * @property {string} name
 * @property {Group[]} groups
 */

/** A doc comment's text, without the frame. */
function unframed(comment) {
  return comment
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

/** The text before the tags, and each tag's text. */
function parseTags(text) {
  const parts = text.split(/(?:^|\s)@(writer|reader|initial)\s/);
  const tags = {};
  for (let i = 1; i < parts.length; i += 2) tags[parts[i]] = oneLine(parts[i + 1]);
  return { text: oneLine(parts[0]), ...tags };
}

function oneLine(text) {
  return text.replace(/\s+/g, " ").trim();
}

/** The comments that stand before a statement, first to last. */
function commentsBefore(source, statement) {
  const ranges = ts.getLeadingCommentRanges(source.text, statement.getFullStart()) ?? [];
  return ranges.map((range) => source.text.slice(range.pos, range.end));
}

const REGION = /^\/\/ ─+ region: (.+?) ─+$/;

/** Opens a region or a group if `//` comments before a statement say so. */
function openSections(regions, comments) {
  const lines = comments.filter((comment) => comment.startsWith("//"));
  if (lines.length === 0) return;
  const heading = lines.map((line) => REGION.exec(line)?.[1]).find((name) => name !== undefined);
  const text = lines
    .filter((line) => !REGION.test(line))
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join(" ");
  if (heading !== undefined) regions.push({ name: heading, groups: [{ text, constants: [] }] });
  else regions.at(-1)?.groups.push({ text, constants: [] });
}

/** What the file exports when it runs. It imports nothing, so it can be run by itself. */
async function evaluate(text) {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputText).toString("base64")}`);
}

function isExported(statement) {
  return (ts.getCombinedModifierFlags(statement) & ts.ModifierFlags.Export) !== 0;
}

/**
 * The layout as its file tells it.
 * @returns {Promise<{ story: string, regions: Region[], exports: Record<string, unknown> }>}
 */
export async function readLayout() {
  const text = readFileSync(layoutFile, "utf8");
  const exports = await evaluate(text);
  const source = ts.createSourceFile(layoutFile, text, ts.ScriptTarget.Latest, true);
  const regions = [];
  for (const statement of source.statements) {
    const comments = commentsBefore(source, statement);
    openSections(regions, comments);
    if (!ts.isVariableStatement(statement)) continue;
    const [declaration] = statement.declarationList.declarations;
    if (declaration.initializer === undefined || !isExported(declaration)) continue;
    const doc = comments.findLast((comment) => comment.startsWith("/**"));
    const name = declaration.name.getText(source);
    const line = source.getLineAndCharacterOfPosition(declaration.getStart(source)).line + 1;
    const constant = { name, value: exports[name], line, ...parseTags(unframed(doc ?? "")) };
    // What stands before the first region concerns them all.
    if (regions.length === 0) regions.push({ name: "", groups: [{ text: "", constants: [] }] });
    regions.at(-1).groups.at(-1).constants.push(constant);
  }
  const [first] = ts.getLeadingCommentRanges(text, 0) ?? [];
  return { story: unframed(text.slice(first.pos, first.end)), regions, exports };
}

/** Every constant of the layout. */
export function allConstants(regions) {
  return regions.flatMap((region) => region.groups.flatMap((group) => group.constants));
}

/** Whether a constant is a place in the memory rather than a size or a number. */
export function isWord(constant) {
  return constant.writer !== undefined || constant.reader !== undefined;
}
