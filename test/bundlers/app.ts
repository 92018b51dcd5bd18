// Small apps as a user has them: a folder with the packed tarball installed, a page, a script, a bundler.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "node:process";
import { fileURLToPath } from "node:url";
import { npm } from "../npm.ts";
import { cleanEnv } from "../runtimes/run.ts";
import { modulesOf, type Tool } from "./tools.ts";

export interface App {
  folder: string;
  /** Writes files, by their paths in the folder. */
  write(files: Record<string, string>): void;
  /**
   * Runs a command in a shell, and returns what it printed.
   *
   * @throws {Error} (as a rejection) If it fails.
   */
  run(command: string): Promise<string>;
  /** Starts a command that serves, and resolves when it has printed its address. */
  serve(command: string): Promise<DevServer>;
}

/** A server that a command runs. */
export interface DevServer {
  /** Without a slash at its end. */
  origin: string;
  close(): Promise<void>;
}

/** Where apps are made. */
export interface Workshop {
  folder: string;
  /** The installed package. */
  installed: string;
  /** Makes an app in a folder of this name. Without a tool it has no bundler. */
  app(name: string, tool?: Tool): Promise<App>;
  close(): void;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

const MANIFEST = JSON.stringify({ name: "app", private: true, type: "module" });

/** Packs the package, and installs the tarball: once, for all apps. */
export async function createWorkshop(): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), "allcores-apps-"));
  const [{ filename }] = JSON.parse(await npm(["pack", "--json", "--pack-destination", folder], root));
  writeFileSync(join(folder, "package.json"), MANIFEST);
  await npm(["install", "--offline", "--no-audit", "--no-fund", join(folder, filename)], folder);
  const installed = join(folder, "node_modules/allcores");
  return {
    folder,
    installed,
    async app(name, tool) {
      const app = join(folder, name);
      mkdirSync(join(app, "node_modules"), { recursive: true });
      if (tool !== undefined) linkModules(await modulesOf(tool), join(app, "node_modules"));
      cpSync(installed, join(app, "node_modules/allcores"), { recursive: true });
      // Tools tell by it where a project begins.
      writeFileSync(join(app, "package-lock.json"), "{}");
      writeFileSync(join(app, "package.json"), MANIFEST);
      return appIn(app);
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A folder of its own, so that what tools write into their node_modules is not kept. */
function linkModules(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    if (name === ".bin" || !name.startsWith(".")) symlinkSync(join(from, name), join(to, name), "junction");
  }
}

function appIn(folder: string): App {
  return {
    folder,
    write(files) {
      for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
    },
    async run(command) {
      const child = start(command, folder);
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      }
      const [status] = await once(child, "close");
      if (status !== 0) throw new Error(`\`${command}\` failed (status ${status}):\n${output}`);
      return output;
    },
    async serve(command) {
      const child = start(command, folder);
      const closed = once(child, "close");
      let output = "";
      const origin = await new Promise<string>((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding("utf8").on("data", (text: string) => {
            output += text;
            const address = /http:\/\/[\w.]+:\d+/.exec(output)?.[0];
            if (address !== undefined) resolve(address);
          });
        }
        child.once("close", () => reject(new Error(`\`${command}\` ended before it served:\n${output}`)));
      });
      return {
        origin,
        async close() {
          // The whole group: the shell, npx, and the server.
          if (platform === "win32" || child.pid === undefined) child.kill();
          else process.kill(-child.pid);
          await closed;
        },
      };
    },
  };
}

function start(command: string, cwd: string) {
  const env = { ...cleanEnv(), NO_COLOR: "1", npm_config_loglevel: "error" };
  return spawn(command, { cwd, env, shell: true, detached: platform !== "win32", stdio: ["ignore", "pipe", "pipe"] });
}
