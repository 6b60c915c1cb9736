import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Five files of JavaScript, one of which does not parse, with what lies around them in a real tree. */
const files: Record<string, string> = {
  "b/module.mjs": "import { readFile } from 'node:fs'; export const read = readFile;\n",
  "b/script.js": "#!/usr/bin/env node\nvar let_ = 010; if (let_) return;\n",
  "a/common.cjs": "const { x, x: y } = require('x'); module.exports = y.x;\n",
  "a/broken.js": "const = ;\n",
  "a/odd-names.js": "const constructor = 1, __proto__ = constructor, größe = __proto__;\n",
  "a/types.d.ts": "export declare const x: number;\n",
  "a/component.tsx": "export const x = <a />;\n",
  "a/data.json": "{}\n",
};

/** Writes the tree below a new temporary directory and returns its path. */
export function makeSourceTree(): string {
  const root = mkdtempSync(join(tmpdir(), "heddle-main-job-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  symlinkSync(root, join(root, "a", "circle"), "dir");
  symlinkSync(join(root, "b", "module.mjs"), join(root, "a", "link.mjs"));
  return root;
}

export function removeSourceTree(root: string): void {
  rmSync(root, { recursive: true, force: true });
}
