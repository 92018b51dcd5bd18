// What a process has used: processor time and memory.

import { readFileSync } from "node:fs";

/** Processor time of this process, over all its threads, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * The most resident memory that a process ever had, with that of its children; null where the platform does not say (all but
 * Linux). The children's program files count once: pages of a file are shared by all that map it.
 */
export function peakBytes(pid: number, children: readonly number[]): number | null {
  try {
    const own = readStatus(pid).VmHWM;
    return children.reduce((sum, child) => {
      const { VmHWM, RssFile } = readStatus(child);
      return sum + VmHWM - RssFile;
    }, own);
  } catch {
    return null;
  }
}

/** In bytes. */
function readStatus(pid: number): { VmHWM: number; RssFile: number } {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name: string) => {
    const kilobytes = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)?.[1];
    if (kilobytes === undefined) throw new Error(`no ${name}`);
    return Number(kilobytes) * 1024;
  };
  return { VmHWM: read("VmHWM"), RssFile: read("RssFile") };
}
