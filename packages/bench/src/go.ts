import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);

const sources = fileURLToPath(new URL("../go/", import.meta.url));
/** Ignored by git; Go's own cache makes building it again a matter of milliseconds. */
const outputs = fileURLToPath(new URL("../temp/", import.meta.url));

export interface GoToolchain {
  readonly version: string;
  /** The built program. */
  readonly program: string;
}

/**
 * Builds the Go side; `undefined` where there is no `go` on the PATH. A program that does not compile is an
 * error.
 */
export async function buildGoSide(): Promise<GoToolchain | undefined> {
  const version = await goVersion();
  if (version === undefined) return undefined;
  const program = `${outputs}heddle-bench-go${process.platform === "win32" ? ".exe" : ""}`;
  await mkdir(outputs, { recursive: true });
  await execute("go", ["build", "-o", program, "."], { cwd: sources });
  return { version, program };
}

async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await execute("go", ["env", "GOVERSION"]);
    return stdout.trim().replace(/^go/, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
