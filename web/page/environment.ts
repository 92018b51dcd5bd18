// The conditions that the page's figures are printed with: what a browser tells, and null for the rest.

import type { Engine } from "allcores";
import { timerResolution } from "../../src/bench/clock.ts";

/** The fields of the command line's report, as far as a browser knows them, and the page's own. */
export interface PageEnvironment {
  runtime: "browser";
  /** "Firefox 153.7", as far as the browser says. */
  version: string;
  engine: string | null;
  platform: string;
  arch: null;
  cpu: "unknown";
  logicalCores: number;
  usableCores: number;
  quota: null;
  loadAverage: null;
  timerResolutionMs: number;
  mode: Engine["mode"];
  crossOriginIsolated: boolean;
  userAgent: string;
}

/** The brands that `navigator.userAgentData` names, in Chromium. */
interface UserAgentData {
  brands: { brand: string; version: string }[];
  platform: string;
}

export function readEnvironment({ mode, cores }: Engine): PageEnvironment {
  const data = (navigator as { userAgentData?: UserAgentData }).userAgentData;
  return {
    runtime: "browser",
    version: browserName(navigator.userAgent),
    engine: null,
    platform: data?.platform || navigator.platform,
    arch: null,
    cpu: "unknown",
    logicalCores: navigator.hardwareConcurrency,
    usableCores: cores,
    quota: null,
    loadAverage: null,
    timerResolutionMs: timerResolutionMs(),
    mode,
    crossOriginIsolated: globalThis.crossOriginIsolated === true,
    userAgent: navigator.userAgent,
  };
}

/** Browsers name each other in this text: the first of these that is there is the one. */
export function browserName(userAgent: string): string {
  const names = { Edg: "Edge", OPR: "Opera", Firefox: "Firefox", Chrome: "Chromium", Version: "Safari" };
  for (const [token, name] of Object.entries(names)) {
    const version = new RegExp(`${token}/(\\d+)`).exec(userAgent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return "unknown";
}

let resolution: number | undefined;

/** The step of this page's clock; measured once, in some milliseconds. */
export function timerResolutionMs(): number {
  resolution ??= timerResolution(() => performance.now());
  return resolution;
}

/** "5 µs", "1 ms" */
export function timerText(ms: number): string {
  if (!Number.isFinite(ms)) return "stands still";
  const rounded = Number(ms.toPrecision(2));
  return rounded < 1 ? `steps of ${Number((rounded * 1000).toPrecision(2))} µs` : `steps of ${rounded} ms`;
}
