/** The CPU quota of a container, read from a made-up root directory. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cpuQuota, usableCores } from "../src/cpu-quota.ts";

const CGROUP = "proc/self/cgroup";
const MOUNTS = "proc/self/mountinfo";

function rootWith(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "heddle-quota-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const mount2 = (mountRoot: string): string =>
  `24 1 8:1 / / rw - ext4 /dev/sda rw\n30 24 0:26 ${mountRoot} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n`;
const mount1 = (mountRoot: string): string =>
  `31 24 0:28 ${mountRoot} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n` +
  `32 24 0:29 ${mountRoot} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n`;

const CASES: [what: string, files: Record<string, string>, cores: number][] = [
  ["no cgroups at all", {}, Number.POSITIVE_INFINITY],
  [
    "version 2, in a namespace of its own",
    { [CGROUP]: "0::/\n", [MOUNTS]: mount2("/"), "sys/fs/cgroup/cpu.max": "150000 100000\n" },
    1.5,
  ],
  [
    "version 2, no quota",
    { [CGROUP]: "0::/\n", [MOUNTS]: mount2("/"), "sys/fs/cgroup/cpu.max": "max 100000\n" },
    Number.POSITIVE_INFINITY,
  ],
  [
    "version 2, the group above is tighter, the root has no file",
    {
      [CGROUP]: "0::/pod/box\n",
      [MOUNTS]: mount2("/"),
      "sys/fs/cgroup/pod/cpu.max": "200000 100000\n",
      "sys/fs/cgroup/pod/box/cpu.max": "400000 100000\n",
    },
    2,
  ],
  [
    "version 2, the group itself is what is mounted",
    { [CGROUP]: "0::/pod/box\n", [MOUNTS]: mount2("/pod/box"), "sys/fs/cgroup/cpu.max": "50000 100000\n" },
    0.5,
  ],
  [
    "version 2, the group cannot be seen from inside",
    { [CGROUP]: "0::/elsewhere\n", [MOUNTS]: mount2("/pod"), "sys/fs/cgroup/cpu.max": "300000 100000\n" },
    3,
  ],
  [
    "version 1",
    {
      [CGROUP]: "5:memory:/box\n4:cpu,cpuacct:/box\n0::/\n",
      [MOUNTS]: mount1("/"),
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "250000\n",
      "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
    },
    2.5,
  ],
  [
    "version 1, no quota",
    {
      [CGROUP]: "4:cpu,cpuacct:/box\n",
      [MOUNTS]: mount1("/box"),
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    },
    Number.POSITIVE_INFINITY,
  ],
  [
    "files with nonsense",
    { [CGROUP]: "nonsense\n\n", [MOUNTS]: `what\n${mount2("/")}`, "sys/fs/cgroup/cpu.max": "\n" },
    Number.POSITIVE_INFINITY,
  ],
];

test.each(CASES)("%s", (_what, files, cores) => {
  expect(cpuQuota(rootWith(files))).toBe(cores);
});

test("part of a core counts as one, and more than there are cannot be used", () => {
  expect([0.1, 1, 1.5, 8, Number.POSITIVE_INFINITY].map((quota) => usableCores(4, quota))).toEqual([
    1, 1, 2, 4, 4,
  ]);
});
