// Which way imports go: between packages, and between the folders of core.

/** The folders of packages/core/src, lowest first. A folder imports only from those before it. */
const CORE_LAYERS = [
  "base",
  "memory",
  "values",
  "goroutine",
  "queue",
  "scheduler",
  "channel",
  "sync",
  "time",
  "context",
  "inspect",
  "chaos",
  "repair",
];

/** The folders of packages/core/src/scheduler, lowest first. Types may name what stands above. */
const SCHEDULER_LAYERS = ["idle", "frames", "thread", "machine", "api"];

const anyOf = (names) => `(?:${names.join("|")})`;

const coreLayering = CORE_LAYERS.slice(0, -1).map((folder, level) => ({
  name: `core-${folder}-imports-downward`,
  comment: `core/${folder} stands below ${CORE_LAYERS.slice(level + 1).join(", ")}.`,
  severity: "error",
  from: { path: `^packages/core/src/${folder}/` },
  to: { path: `^packages/core/src/${anyOf(CORE_LAYERS.slice(level + 1))}/` },
}));

const schedulerLayering = SCHEDULER_LAYERS.slice(0, -1).map((folder, level) => ({
  name: `scheduler-${folder}-imports-downward`,
  comment: `core/scheduler/${folder} stands below ${SCHEDULER_LAYERS.slice(level + 1).join(", ")}.`,
  severity: "error",
  from: { path: `^packages/core/src/scheduler/${folder}/` },
  to: {
    path: `^packages/core/src/scheduler/${anyOf(SCHEDULER_LAYERS.slice(level + 1))}/`,
    dependencyTypesNot: ["type-only"],
  },
}));

const ownPackages = (names) => `^(?:packages/${anyOf(names)}/|@heddle/${anyOf(names)}$)`;

/** Forbids the package in `folder` to import the packages in `names`. */
const keepAway = (folder, names, comment) => ({
  name: `${folder.split("/").pop()}-keeps-away`,
  comment,
  severity: "error",
  from: { path: `^${folder}/src/` },
  to: {
    path: `${ownPackages(names.filter((name) => name !== "examples"))}${names.includes("examples") ? "|^examples/" : ""}`,
  },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment:
        "Modules form layers; a cycle hides one. Types of one folder may name each other: nothing is loaded for them.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      comment: "An import that leads nowhere escapes every other rule.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "sibling-by-name",
      comment: "Another package is imported by its name, never by a path into it.",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: "^(?:packages/[^/]+/src|examples)/", pathNot: "^packages/$1/" },
    },
    {
      name: "examples-by-name",
      comment: "Another package is imported by its name, never by a path into it.",
      severity: "error",
      from: { path: "^examples/" },
      to: { path: "^packages/[^/]+/src/" },
    },
    {
      name: "declared-dependencies",
      comment: "What a package imports stands in its own package.json.",
      severity: "error",
      from: { path: "^(?:packages/[^/]+|examples)/src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "core-knows-no-node",
      comment: "The kernel runs wherever there is shared memory.",
      severity: "error",
      from: { path: "^packages/core/src/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "core-stands-alone",
      comment: "The kernel is imported by all and imports no package.",
      severity: "error",
      from: { path: "^packages/core/src/" },
      to: { path: "node_modules|^packages/[^/]+/dist/", pathNot: "^packages/core/src/" },
    },
    keepAway("packages/workers", ["heddle", "testkit", "bench", "examples"], "workers builds on core alone."),
    keepAway("packages/heddle", ["testkit", "bench", "examples"], "heddle re-exports core and workers."),
    keepAway("packages/testkit", ["workers", "heddle", "bench", "examples"], "testkit looks at core alone."),
    keepAway(
      "packages/bench",
      ["core", "workers"],
      "bench measures what users install, and the main job of the examples.",
    ),
    keepAway("examples", ["core", "workers", "testkit", "bench"], "examples use what users install."),
    ...coreLayering,
    ...schedulerLayering,
    {
      name: "core-folder-has-a-layer",
      comment: "A new folder of core/src takes its place in CORE_LAYERS.",
      severity: "error",
      from: {},
      to: {
        path: "^packages/core/src/",
        pathNot: `^packages/core/src/(?:${anyOf(CORE_LAYERS)}/|index\\.ts$)`,
      },
    },
    {
      name: "core-index-is-the-top",
      comment: "The index gathers core for others; nothing inside imports it.",
      severity: "error",
      from: { path: "^packages/core/src/" },
      to: { path: "^packages/core/src/index\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: ["node_modules", "^packages/[^/]+/dist/"] },
    exclude: { path: ["^examples/dist/", "\\.pnpm-store"] },
    tsPreCompilationDeps: true, // a type that is imported upward breaks a layer, too
    tsConfig: { fileName: "tsconfig.base.json" },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "node", "default"],
      mainFields: ["types", "module", "main"],
    },
  },
};
