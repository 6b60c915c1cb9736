// Documents name files that exist. Looks at README.md, docs and the READMEs of tests: links, and names of files anywhere in the
// text, which are paths from the root, from packages/core/src, from packages/heddle/test, or beside the document.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./steps.mjs";

const FILE = /(?<![\w./*-])[\w.-]*[\w-](?:\/[\w.-]+)*\.(?:ts|mjs|md|json)\b/g;
const LINK = /\]\(([^)#\s]+)(?:#[^)]*)?\)/g;
const FENCED = /^```[\s\S]*?^```$/gm;

const documents = [
  "README.md",
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
  ...readdirSync(join(root, "test"), { recursive: true })
    .map((name) => `test/${name}`)
    .filter((name) => name.endsWith("README.md")),
].filter((name) => name.endsWith(".md"));

const isElsewhere = (link) => /^[a-z]+:/.test(link);

let failed = false;
for (const name of documents) {
  const document = join(root, name);
  const text = readFileSync(document, "utf8").replace(FENCED, "");
  const beside = dirname(document);
  const places = [root, join(root, "packages/core/src"), join(root, "packages/heddle/test"), beside];
  const links = [...text.matchAll(LINK)].map(([, link]) => link).filter((link) => !isElsewhere(link));
  const mentioned = text.replace(LINK, "]").match(FILE) ?? [];
  const missing = [
    ...links.filter((link) => !existsSync(join(beside, link))),
    ...mentioned.filter((file) => !places.some((place) => existsSync(join(place, file)))),
  ];
  for (const file of new Set(missing)) {
    console.error(`${name} names ${file}, which does not exist`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
