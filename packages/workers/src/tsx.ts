/**
 * TypeScript bodies where tsx runs the process.
 *
 * Before Node 22 module hooks are each thread's own, and tsx registers its own on the main thread alone, though Node preloads it everywhere. A machine does for itself what tsx did there. It must be done
 * before the first module is loaded: an import that failed is remembered. Newer versions of Node share the hooks, or strip types themselves.
 */

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const HOOKS_PER_THREAD: boolean = Number.parseInt(process.versions.node, 10) < 22;

interface TsxPackage {
  readonly exports: { readonly "./esm/api": { readonly import: { readonly default: string } } };
}

/** Registers tsx on this thread if the process was started with it and that is needed. */
export async function registerTsx(): Promise<void> {
  const loader = HOOKS_PER_THREAD ? preloadedTsx() : undefined;
  if (loader === undefined) return;
  try {
    const api = (await import(apiOf(loader))) as { register(): unknown };
    api.register();
  } catch {
    // A version that is laid out otherwise: what cannot be loaded will say so.
  }
}

/** What `--import` names, if that is tsx: the package, or a file of it. */
function preloadedTsx(): string | undefined {
  const options = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  const named = options.flatMap((option, i) => {
    if (option === "--import") return [options[i + 1] ?? ""];
    return option.startsWith("--import=") ? [option.slice("--import=".length)] : [];
  });
  return named.find((specifier) => /(^|[\\/])tsx([\\/]|$)/.test(specifier));
}

function apiOf(loader: string): string {
  const isFile = /^(file:|[\\/]|[a-z]:[\\/])/i.test(loader);
  // A bare name is found from the working directory, as Node finds what it preloads.
  const require = createRequire(isFile ? loader : pathToFileURL(`${process.cwd()}/`));
  const manifest = require.resolve("tsx/package.json");
  const { exports } = require(manifest) as TsxPackage;
  return new URL(exports["./esm/api"].import.default, pathToFileURL(manifest)).href;
}
