// Linux control groups: which ones this process is in, and where their files lie. A process is limited by its own group
// and by every group above it, so whoever looks for a limit reads all levels and takes the lowest.
//
// Nothing here throws: what is missing, unreadable or malformed counts as not there. That covers other systems, too,
// which have no such files.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A control group that contains this process. */
export interface CgroupLevel {
  version: 1 | 2;
  /** Its path in the hierarchy, such as "/docker/x". */
  path: string;
  /** The folder with its files. */
  directory: string;
}

/** Where a cgroup file system is mounted. */
interface Mount {
  version: 1 | 2;
  /** The group that is visible at `point`: "/" for the whole hierarchy, a container's own group in many containers. */
  root: string;
  point: string;
}

/** What `read` returns, or null if it throws, as for a file that is not there, or in Deno without permission. */
export function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** A file's text, or null if it cannot be read. `root` is a folder to take for "/". */
export function readText(root: string, path: string): string | null {
  return attempt(() => readFileSync(join(root, path), "utf8"));
}

/** A whole number above 0 as the kernel prints it, or null for anything else, such as "max" and "-1". */
export function parsePositive(text: string | undefined | null): number | null {
  const trimmed = text?.trim() ?? "";
  return /^\d+$/.test(trimmed) && Number(trimmed) > 0 ? Number(trimmed) : null;
}

/**
 * The groups that limit this process by a controller ("cpu", "memory"): the process's own first, then the ones above
 * it, up to the mount point. On hybrid systems these are two hierarchies, of which only one has the controller's files.
 */
export function findCgroupLevels(root: string, controller: string): CgroupLevel[] {
  const mounts = readMounts(root, controller);
  return ([2, 1] as const).flatMap((version) => {
    const path = readOwnPath(root, version, controller);
    return path === null ? [] : levelsOf(root, path, pickMount(mounts, version, path));
  });
}

/** This process's group, from lines such as "0::/user.slice" (version 2) and "4:cpu,cpuacct:/docker/x" (version 1). */
function readOwnPath(root: string, version: 1 | 2, controller: string): string | null {
  for (const line of (readText(root, "/proc/self/cgroup") ?? "").split("\n")) {
    const [, id, controllers = "", path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const matches = version === 2 ? id === "0" : controllers.split(",").includes(controller);
    if (matches) return path;
  }
  return null;
}

/** The cgroup mounts in lines such as "32 31 0:29 /docker/x /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu". */
function readMounts(root: string, controller: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of (readText(root, "/proc/self/mountinfo") ?? "").split("\n")) {
    const [place = "", system = ""] = line.split(" - ");
    const [, , , top, point] = place.split(" ").map(unescapeMount);
    const [type, , options = ""] = system.split(" ");
    if (top === undefined || point === undefined) continue;
    if (type === "cgroup2") mounts.push({ version: 2, root: top, point });
    if (type === "cgroup" && options.split(",").includes(controller)) mounts.push({ version: 1, root: top, point });
  }
  return mounts;
}

/** mountinfo writes spaces, tabs, newlines and backslashes as octal: "\040". */
function unescapeMount(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mount that shows the most of the groups above `path`; if none shows `path` itself, the first of that version. */
function pickMount(mounts: Mount[], version: 1 | 2, path: string): Mount | undefined {
  const candidates = mounts.filter((mount) => mount.version === version);
  const showing = candidates.filter((mount) => pathBelow(mount.root, path) !== null);
  return showing.sort((a, b) => a.root.length - b.root.length)[0] ?? candidates[0];
}

function levelsOf(root: string, path: string, mount: Mount | undefined): CgroupLevel[] {
  if (mount === undefined) return [];
  // A path that the mount does not show: the process was moved, or looks from inside a namespace at a mount from
  // outside. Which folder is its own cannot be known, but the mount point is what this container takes for the top.
  const names = pathBelow(mount.root, path) ?? [];
  return Array.from({ length: names.length + 1 }, (_, above) => {
    const kept = names.slice(0, names.length - above);
    return {
      version: mount.version,
      path: `/${[...mount.root.split("/"), ...kept].filter((name) => name !== "").join("/")}`,
      directory: join(root, mount.point, ...kept),
    };
  });
}

/** The names that lead from one group to another below it, or null if it is not below. */
function pathBelow(top: string, path: string): string[] | null {
  const prefix = top.endsWith("/") ? top : `${top}/`;
  if (!`${path}/`.startsWith(prefix)) return null;
  const names = path
    .slice(prefix.length)
    .split("/")
    .filter((name) => name !== "");
  return names.includes("..") ? null : names;
}
