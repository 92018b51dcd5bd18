// The browsers that the tests drive: those of this machine, or else Debian's.

import { execFile } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { env, getuid, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { withLock } from "../lock.ts";

export type BrowserName = "chromium" | "firefox";

/** Where a browser may be. */
interface Source {
  title: string;
  /** The environment variable that names an executable, which is then used and no other. */
  variable: string;
  /** Executables to look for on the PATH, the best first. */
  commands: string[];
  /** Elsewhere, by platform: full paths, the best first. */
  places: Partial<Record<NodeJS.Platform, string[]>>;
  /** Debian's package. */
  debian: string;
  /** For people, elsewhere. */
  advice: string;
}

const SOURCES: Readonly<Record<BrowserName, Source>> = {
  chromium: {
    title: "Chromium",
    variable: "ALLCORES_CHROMIUM",
    commands: [
      "chromium",
      "chromium-browser",
      "google-chrome",
      "google-chrome-stable",
      "microsoft-edge",
      "microsoft-edge-stable",
    ],
    places: {
      linux: ["/opt/google/chrome/chrome", "/opt/microsoft/msedge/msedge"],
      darwin: macApplications("Chromium", "Google Chrome", "Microsoft Edge"),
      win32: windowsPrograms(
        "Chromium\\Application\\chrome.exe",
        "Google\\Chrome\\Application\\chrome.exe",
        "Microsoft\\Edge\\Application\\msedge.exe",
      ),
    },
    debian: "chromium",
    advice: "Chromium, Google Chrome or Microsoft Edge",
  },
  firefox: {
    title: "Firefox",
    variable: "ALLCORES_FIREFOX",
    commands: ["firefox-esr", "firefox"],
    places: {
      linux: ["/usr/lib/firefox/firefox", "/opt/firefox/firefox"],
      darwin: macApplications("Firefox"),
      win32: windowsPrograms("Mozilla Firefox\\firefox.exe"),
    },
    debian: "firefox-esr",
    advice: "Firefox",
  },
};

const lock = fileURLToPath(new URL("../../node_modules/.cache/allcores/apt.lock", import.meta.url));
const run = promisify(execFile);

/**
 * The path of a browser's executable. Where there is none, it is installed if this is Debian or Ubuntu and root's process.
 *
 * @throws {Error} If there is none, with what to install.
 */
export async function findBrowser(name: BrowserName): Promise<string> {
  const source = SOURCES[name];
  const named = env[source.variable];
  if (named !== undefined && named !== "") {
    if (isExecutable(named)) return named;
    throw new Error(`${source.variable} names ${named}, which is not an executable file`);
  }
  return lookFor(source) ?? (await withLock(lock, () => lookFor(source) ?? install(source)));
}

function lookFor({ commands, places }: Source): string | undefined {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const suffix = platform === "win32" ? ".exe" : "";
  const onPath = commands.flatMap((command) => folders.map((folder) => join(folder, command + suffix)));
  return [...onPath, ...(places[platform] ?? [])].find(isExecutable);
}

async function install(source: Source): Promise<string> {
  const { title, variable, advice, debian } = source;
  const need = `The tests drive a real ${title}, and none was found`;
  const help = `Install ${advice}, or set ${variable} to the path of its executable.`;
  if (!existsSync("/usr/bin/apt-get")) throw new Error(`${need}. ${help}`);
  if (getuid?.() !== 0) throw new Error(`${need}. ${help} Here: sudo apt-get install ${debian}`);
  const begin = performance.now();
  try {
    const options = { env: { ...env, DEBIAN_FRONTEND: "noninteractive" }, maxBuffer: 2 ** 26 };
    await run("apt-get", ["update"], options);
    await run("apt-get", ["install", "--yes", "--no-install-recommends", debian], options);
  } catch (error) {
    throw new Error(`${need}; \`apt-get install ${debian}\` failed. ${help}`, { cause: error });
  }
  console.log(`installed ${debian} in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  const found = lookFor(source);
  if (found === undefined) throw new Error(`${need}, not even after \`apt-get install ${debian}\`. ${help}`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function macApplications(...titles: string[]): string[] {
  return titles.flatMap((title) =>
    ["/Applications", join(homedir(), "Applications")].map((folder) =>
      join(folder, `${title}.app/Contents/MacOS`, title === "Firefox" ? "firefox" : title),
    ),
  );
}

function windowsPrograms(...paths: string[]): string[] {
  const folders = [env.ProgramFiles, env["ProgramFiles(x86)"], env.LOCALAPPDATA];
  return paths.flatMap((path) => folders.flatMap((folder) => (folder === undefined ? [] : [`${folder}\\${path}`])));
}
