/**
 * Another revision of Heddle, built aside, under the benchmarks of this tree.
 *
 * The revision is checked out as a git worktree in a temporary folder, installed and built there by its own
 * scripts. The benchmarks themselves are those of this tree, copied beside it with links to packages: `heddle` leads
 * to the revision's, all else to this tree's. So both sides run the same cases, also where the revision's own
 * benchmarks were different ones.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const here = fileURLToPath(new URL("../../../", import.meta.url));

export interface OtherRevision extends AsyncDisposable {
  /** The commit that was meant, shortened. */
  readonly commit: string;
  /** The program that runs a side of a case there. */
  readonly sideProgram: string;
}

export async function openRevision(revision: string): Promise<OtherRevision> {
  const commit = await commitOf(revision);
  const folder = await mkdtemp(join(tmpdir(), "heddle-bench-"));
  const tree = join(folder, "tree");
  const close = async (): Promise<void> => {
    await execute("git", ["worktree", "remove", "--force", tree], { cwd: here }).catch(() => {}); // may not be there yet
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await execute("git", ["worktree", "add", "--detach", tree, commit], { cwd: here });
    await execute(process.execPath, ["scripts/bootstrap.mjs", "--build"], { cwd: tree });
    await placeBenchmarks(folder, tree);
  } catch (error) {
    await close();
    throw error;
  }
  const sideProgram = join(folder, "packages/bench/dist/side.js");
  return { commit, sideProgram, [Symbol.asyncDispose]: close };
}

async function commitOf(revision: string): Promise<string> {
  try {
    const name = ["rev-parse", "--short", "--verify", "--end-of-options", `${revision}^{commit}`];
    return (await execute("git", name, { cwd: here })).stdout.trim();
  } catch {
    throw new RangeError(`compare: ${revision} is no revision of this repository`);
  }
}

/** The same folders as in this tree, so that what the cases find relative to themselves is there. */
async function placeBenchmarks(folder: string, tree: string): Promise<void> {
  await placePackage("packages/bench", folder, tree);
  await placePackage("examples", folder, tree);
  await symlink(join(here, "node_modules"), join(folder, "node_modules"), "dir");
}

async function placePackage(path: string, folder: string, tree: string): Promise<void> {
  const target = join(folder, path);
  await mkdir(target, { recursive: true });
  for (const part of ["package.json", "dist"])
    await cp(join(here, path, part), join(target, part), { recursive: true });
  for (const name of await dependenciesOf(path)) {
    const link = join(target, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(placeOf(name, path, folder, tree), link, "dir");
  }
}

function placeOf(name: string, path: string, folder: string, tree: string): string {
  if (name === "heddle") return join(tree, "packages/heddle");
  if (name === "@heddle/examples") return join(folder, "examples");
  return join(here, path, "node_modules", name);
}

/** Names of packages, scoped ones included. */
async function dependenciesOf(path: string): Promise<string[]> {
  const modules = join(here, path, "node_modules");
  const names = (await readdir(modules)).filter((name) => !name.startsWith("."));
  const nested = names.map(async (name) =>
    name.startsWith("@") ? (await readdir(join(modules, name))).map((own) => `${name}/${own}`) : [name],
  );
  return (await Promise.all(nested)).flat();
}
