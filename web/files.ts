// Where a page gets the engine's files from: from beside the engine's own, or from where the caller says.

import { EngineError } from "../src/errors.ts";
import { callback, type Raw, refuse, show } from "../src/options.ts";
import type { Build, WorkerLike } from "../src/types.ts";

/** A kernel to load: compiled already, or an address and what it has to answer with. */
export type KernelSource = { module: WebAssembly.Module } | { url: string; integrity: string | undefined };

export interface PageFiles {
  /** The builds, or the one kernel that the caller gave. */
  kernel: ((build: Build) => KernelSource) | KernelSource;
  /** Where the worker's script is, for whoever is to find out why it does not start. */
  workerUrl(): string;
  /** Throws what the platform, or the caller, throws. */
  startWorker(): WorkerLike;
}

/** The files that an entry of the package has by itself. */
export interface OwnFiles {
  kernel(build: Build): KernelSource;
  workerUrl(): string;
  /** `new Worker` with the address as bundlers look for it. */
  startWorker(): WorkerLike;
}

/** Checks what the caller says of files, and takes the rest from `own`. */
export function filesOf(raw: Raw, own: OwnFiles): PageFiles {
  const workerUrl = address(raw, "workerUrl");
  const createWorker = callback<(url: string) => WorkerLike>(raw, "createWorker");
  const url = workerUrl === undefined ? own.workerUrl : () => workerUrl;
  return { kernel: kernelOf(raw) ?? own.kernel, workerUrl: url, startWorker };

  function startWorker(): WorkerLike {
    if (createWorker !== undefined) return checkWorker(createWorker(url()));
    if (workerUrl === undefined) return startOwnWorker(own);
    return new Worker(workerUrl, { type: "module" });
  }
}

function kernelOf(raw: Raw): KernelSource | undefined {
  const url = address(raw, "wasmUrl");
  const integrity = raw.wasmIntegrity;
  const module = raw.wasmModule;
  if (integrity !== undefined) {
    if (typeof integrity !== "string" || !/^(sha(256|384|512)-[\w+/]+=*\s*)+$/.test(integrity)) {
      refuse("wasmIntegrity", 'an integrity such as "sha256-…", in base64', integrity);
    }
    if (url === undefined) refuse("wasmIntegrity", "to come with a wasmUrl, which it is about", integrity);
  }
  if (module === undefined) return url === undefined ? undefined : { url, integrity };
  // By name: it may be of another window.
  if (Object.prototype.toString.call(module) !== "[object WebAssembly.Module]") {
    refuse("wasmModule", "a WebAssembly.Module", module);
  }
  if (url !== undefined)
    throw new EngineError("E_ARGUMENT", '"wasmModule" and "wasmUrl" are two kernels: give one of them');
  return { module: module as WebAssembly.Module };
}

/** An address, relative to the page, or undefined. */
function address(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  if (value === undefined) return undefined;
  const text = typeof value === "string" ? value : (value as { href?: unknown } | null)?.href;
  if (typeof text !== "string" || text === "") refuse(name, "an address, or a URL", value);
  try {
    return new URL(text, globalThis.document?.baseURI ?? location.href).href;
  } catch {
    refuse(name, "an address, or a URL", value);
  }
}

function checkWorker(worker: WorkerLike): WorkerLike {
  for (const method of ["postMessage", "terminate", "addEventListener"] as const) {
    if (typeof worker?.[method] !== "function") {
      throw new EngineError("E_ARGUMENT", `"createWorker" is to return a Worker, and returned ${show(worker)}`);
    }
  }
  return worker;
}

/** The part of Trusted Types that is used here. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The engine's policy, once it was asked for. It lets the addresses of its own workers pass, and no others. */
let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;
const ownUrls = new Set<string>();

/**
 * There is no asking whether a page demands Trusted Types, and trying without them would be a violation, which goes to the
 * console and to the page's reports. So where there are Trusted Types, they are used.
 */
function startOwnWorker(own: OwnFiles): WorkerLike {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return own.startWorker();
  try {
    policy ??= createPolicy(trustedTypes);
  } catch (cause) {
    // The page has a list of policies, which is not to say that it demands any.
    return startUntrusted(own, cause);
  }
  const url = own.workerUrl();
  ownUrls.add(url);
  return new Worker(policy.createScriptURL(url), { type: "module" });
}

function startUntrusted(own: OwnFiles, cause: unknown): WorkerLike {
  try {
    return own.startWorker();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new EngineError(
      "E_TRUSTED_TYPES",
      "The page demands Trusted Types, and does not allow the engine's policy: add allcores to the trusted-types of its " +
        "Content-Security-Policy (and 'allow-duplicates', if the engine is in two of its scripts), or give createEngine a " +
        "createWorker that makes the worker by a policy of the page's own.",
      { cause },
    );
  }
}

function createPolicy(trustedTypes: TrustedTypes) {
  return trustedTypes.createPolicy("allcores", {
    createScriptURL(url) {
      if (!ownUrls.has(url)) throw new TypeError(`${url} is not a worker of allcores`);
      return url;
    },
  });
}
