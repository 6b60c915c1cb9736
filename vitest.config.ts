import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const sourceOf = (name: string): string =>
  fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url));

const builtOrPlainScript = [/\/dist\//, /\.mjs$/];

export default defineConfig({
  test: {
    passWithNoTests: true,
    exclude: [...configDefaults.exclude, "**/.pnpm-store/**"],
    projects: [
      {
        // The sources alone, in one thread: nothing has to be built and a failure points at the source.
        extends: true,
        resolve: {
          alias: [
            { find: /^@heddle\/core$/, replacement: sourceOf("core") },
            { find: /^@heddle\/testkit$/, replacement: sourceOf("testkit") },
          ],
        },
        test: {
          name: "unit",
          pool: "forks",
          maxWorkers: "100%", // the explorer needs nothing but a core per file
          include: ["packages/core/test/**/*.test.ts", "packages/testkit/test/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Real worker threads against the build. Each test file has a process of its own, and one file runs at a
        // time: the tests take all cores themselves. Built modules and .mjs bodies are left to Node, so that a
        // machine imports the very module that the test holds.
        extends: true,
        test: {
          name: "threads",
          include: [
            "packages/workers/test/**/*.test.ts",
            "packages/heddle/test/**/*.test.ts",
            "packages/bench/test/**/*.test.ts",
            "examples/test/**/*.test.ts",
            "test/**/*.test.ts",
          ],
          globalSetup: "scripts/bundle.mjs",
          pool: "forks",
          sequence: { groupOrder: 1 }, // after the unit tests, which use all cores, too
          fileParallelism: false,
          server: { deps: { external: builtOrPlainScript } },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
