// Removes what the build made. `--all` removes what the install made, too.

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./steps.mjs";

const packages = [
  ...readdirSync(join(root, "packages")).map((name) => join(root, "packages", name)),
  join(root, "examples"),
];
const remove = (path) => rmSync(path, { recursive: true, force: true });

for (const folder of packages) remove(join(folder, "dist"));
remove(join(root, "temp"));
if (process.argv.includes("--all")) {
  for (const folder of [...packages, root]) remove(join(folder, "node_modules"));
  remove(join(root, ".pnpm-store"));
}
