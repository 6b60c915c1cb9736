import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, totalmem, type } from "node:os";
import { promisify } from "node:util";
import type { GoToolchain } from "./go.ts";

const execute = promisify(execFile);

/** Where and with what the figures were taken. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  /** The commit of this tree, with a plus sign when it had changes; `undefined` outside a repository. */
  readonly commit: string | undefined;
}

const comparedPackages = [
  "effect",
  "piscina",
  "tinypool",
  "workerpool",
  "poolifier",
  "bthreads",
  "nanothreads",
  "comlink",
  "jest-worker",
  "tinybench",
];

export async function describeMachine(go: GoToolchain | undefined): Promise<Machine> {
  const versions: Record<string, string> = { node: process.versions.node, v8: process.versions.v8 };
  if (go !== undefined) versions["go"] = go.version;
  for (const name of comparedPackages) versions[name] = await versionOf(name);
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${arch()}`,
    versions,
    commit: await currentCommit(),
  };
}

async function versionOf(name: string): Promise<string> {
  const description = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(await readFile(description, "utf8")) as { version: string }).version;
}

async function currentCommit(): Promise<string | undefined> {
  const cwd = new URL(".", import.meta.url);
  try {
    const { stdout: commit } = await execute("git", ["rev-parse", "--short", "HEAD"], { cwd });
    const { stdout: changes } = await execute("git", ["status", "--porcelain", "--untracked-files=no"], {
      cwd,
    });
    return changes === "" ? commit.trim() : `${commit.trim()}+`;
  } catch {
    return undefined; // no git, or an unpacked archive
  }
}
