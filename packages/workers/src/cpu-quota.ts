/**
 * How many cores' worth of time a container grants.
 *
 * `os.availableParallelism()` counts the cores that the process may be put on; a cgroup's CPU quota does not change that number. With more threads computing than the quota has cores, the kernel stops all of them for
 * the rest of each period, tens of milliseconds, once the quota is used up. So the default of `procs` heeds it, as Go's GOMAXPROCS does since 1.25.
 *
 * Both versions of cgroups are read: version 2 says "quota period" in cpu.max, version 1 has a file for each. A group's limit is the least of its own and those above it, as far as they can be seen from inside.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where a process's group is found. */
interface CpuGroup {
  /** The directory where its hierarchy is mounted. */
  readonly mount: string;
  /** Its path below that. */
  readonly path: string;
  /** Reads the limit in a directory, in cores. */
  readonly limitIn: (directory: string) => number;
}

/** The quota in cores, with fractions; Infinity without one. `root` is where proc and sys are found. */
export function cpuQuota(root = "/"): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { mount, path, limitIn } of cpuGroups(root)) {
    const names = path.split("/").filter((name) => name !== "");
    for (let depth = names.length; depth >= 0; depth--)
      least = Math.min(least, limitIn(join(root, mount, ...names.slice(0, depth))));
  }
  return least;
}

/** Cores to use: those there are, but not more than the quota pays for, rounded up. */
export function usableCores(available: number, quota: number): number {
  return Math.max(1, Math.min(available, Math.ceil(quota)));
}

/** The process's group in each mounted hierarchy that may limit its CPU time. */
function cpuGroups(root: string): CpuGroup[] {
  const groups: CpuGroup[] = [];
  const own = ownGroups(read(join(root, "proc/self/cgroup")));
  for (const line of read(join(root, "proc/self/mountinfo")).split("\n")) {
    // 31 23 0:28 ROOT MOUNT OPTIONS… - TYPE SOURCE SUPER-OPTIONS
    const [before = "", after = ""] = line.split(" - ");
    const [, , , mountRoot = "", mount = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2" && own.unified !== undefined)
      groups.push({ mount, path: below(mountRoot, own.unified), limitIn: limitOfVersion2 });
    else if (type === "cgroup" && options.split(",").includes("cpu") && own.cpu !== undefined)
      groups.push({ mount, path: below(mountRoot, own.cpu), limitIn: limitOfVersion1 });
  }
  return groups;
}

/** The paths of the process's groups: of version 2, and of version 1's hierarchy with the cpu controller. */
function ownGroups(text: string): { unified?: string; cpu?: string } {
  const groups: { unified?: string; cpu?: string } = {};
  for (const line of text.split("\n")) {
    const [hierarchy, controllers = "", ...path] = line.split(":");
    if (hierarchy === "0" && controllers === "") groups.unified = path.join(":");
    else if (controllers.split(",").includes("cpu")) groups.cpu = path.join(":");
  }
  return groups;
}

/** A group's path below the group that is mounted. In a container it is often that one, or one that cannot be seen from inside. */
function below(mountRoot: string, path: string): string {
  if (mountRoot === "/") return path;
  return path === mountRoot || path.startsWith(`${mountRoot}/`) ? path.slice(mountRoot.length) : "";
}

function limitOfVersion2(directory: string): number {
  const [quota, period] = read(join(directory, "cpu.max")).trim().split(" ");
  return inCores(quota, period);
}

function limitOfVersion1(directory: string): number {
  return inCores(read(join(directory, "cpu.cfs_quota_us")), read(join(directory, "cpu.cfs_period_us")));
}

/** Without a quota it is "max" or -1. */
function inCores(quota: string | undefined, period: string | undefined): number {
  const cores = Number.parseInt(quota ?? "", 10) / Number.parseInt(period ?? "", 10);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

/** A file's text; nothing if it is not there, as on systems without cgroups. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
