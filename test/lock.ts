// Lets one process at a time do something, on one machine.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds between two looks at a lock that another process holds. */
const POLL_MS = 100;

/** Milliseconds after which a lock is a dead process's, even if its number names a living one: numbers come again. */
const ABANDONED_MS = 15 * 60_000;

/**
 * Calls `action` while this process holds the lock `path`, a file that holds its owner's process number. Waits for as
 * long as another living process holds it, and takes it over from a dead one.
 */
export async function withLock<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  while (!acquire(path)) await delay(POLL_MS);
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}

function acquire(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (isAbandoned(path)) rmSync(path, { force: true });
  return false;
}

function isAbandoned(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > ABANDONED_MS) return true;
    const pid = Number(readFileSync(path, "utf8"));
    if (pid > 0) process.kill(pid, 0); // only asks; else the file is being written this very moment
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
