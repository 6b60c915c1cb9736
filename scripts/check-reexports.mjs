// `heddle` is the name users install and nothing more: every statement in its sources re-exports.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "./steps.mjs";

const folder = join(root, "packages/heddle/src");
let failed = false;

for (const file of readdirSync(folder, { recursive: true }).map(String)) {
  if (!file.endsWith(".ts")) continue;
  const source = ts.createSourceFile(file, readFileSync(join(folder, file), "utf8"), ts.ScriptTarget.Latest);
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) continue;
    const { line } = source.getLineAndCharacterOfPosition(statement.getStart(source));
    console.error(
      `packages/heddle/src/${file}:${line + 1}: heddle only re-exports; this belongs in core or workers`,
    );
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
