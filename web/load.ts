// Loads a kernel, or says what is in the way.

import { EngineError, messageOf } from "../src/errors.ts";
import { watchPolicy } from "./diagnose.ts";
import type { KernelSource } from "./files.ts";

/** By address and integrity: the kernels of this page. */
const modules = new Map<string, Promise<WebAssembly.Module>>();
/** For places where a module cannot be posted. */
const bytesOf = new WeakMap<WebAssembly.Module, Uint8Array<ArrayBuffer>>();

/** What can be posted instead of a module. Throws if there is nothing. */
export function bytesOfModule(module: WebAssembly.Module): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf.get(module);
  if (bytes !== undefined) return bytes;
  throw new EngineError("E_WORKER_START", "this platform cannot post a WebAssembly.Module: give a wasmUrl instead");
}

/** Loads and compiles a kernel, once in the life of the page. Rejects with an EngineError. */
export async function loadKernel(source: KernelSource): Promise<WebAssembly.Module> {
  if ("module" in source) return source.module;
  const { url, integrity } = source;
  const key = `${url} ${integrity ?? ""}`;
  let module = modules.get(key);
  if (module === undefined) {
    module = fetchKernel(url, integrity).then((bytes) => compile(bytes, short(url)));
    module.catch(() => modules.delete(key)); // so that a later attempt may succeed
    modules.set(key, module);
  }
  return module;
}

async function compile(bytes: Uint8Array<ArrayBuffer>, what: string): Promise<WebAssembly.Module> {
  try {
    const module = await WebAssembly.compile(bytes);
    bytesOf.set(module, bytes);
    return module;
  } catch (error) {
    if (await isCompilingForbidden()) {
      throw new EngineError(
        "E_CSP_WASM",
        "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src, which allows " +
          "WebAssembly and no other evaluation.",
        { cause: error },
      );
    }
    throw new EngineError("E_KERNEL", `${what} could not be compiled: ${messageOf(error)}`, { cause: error });
  }
}

/** Whether not even an empty module compiles. */
async function isCompilingForbidden(): Promise<boolean> {
  const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
  return WebAssembly.compile(empty).then(
    () => false,
    () => true,
  );
}

/**
 * A kernel is a few kilobytes, so there is no streaming: the bytes are checked, may be posted, and compile in a millisecond
 * whatever type the server gives them.
 */
async function fetchKernel(url: string, integrity: string | undefined): Promise<Uint8Array<ArrayBuffer>> {
  // Policies that forbid to fetch data: are common, and it needs no fetching. It came with the code that is to check it.
  if (url.startsWith("data:")) return decode(url);
  const policy = watchPolicy();
  let response: Response;
  try {
    response = await fetch(url, integrity === undefined ? {} : { integrity });
  } catch (error) {
    throw await whyNotFetched(url, integrity, error, policy.forbids);
  } finally {
    policy.stop();
  }
  return check(url, response);
}

async function check(url: string, response: Response): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.ok) {
    throw new EngineError(
      "E_KERNEL_MISSING",
      `The kernel is not at ${url}, which answers with status ${response.status}: copy allcores/kernel.wasm and ` +
        "kernel-scalar.wasm to beside the engine's script, or tell createEngine their place with wasmUrl.",
    );
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d) return bytes;
  const type = response.headers.get("content-type") ?? "no type";
  throw new EngineError(
    "E_KERNEL_TYPE",
    `The kernel is not at ${url}, which answers with ${type}, ${bytes.length} bytes, but no WebAssembly: servers send a page ` +
      "where a file is missing. Copy allcores/kernel.wasm there, or tell createEngine its place with wasmUrl.",
  );
}

/** A fetch that fails says nothing of why. Without integrity it may say more. */
async function whyNotFetched(
  url: string,
  integrity: string | undefined,
  cause: unknown,
  forbids: (directive: string) => Promise<boolean>,
): Promise<EngineError> {
  if (await forbids("connect-src")) {
    return new EngineError(
      "E_CSP_CONNECT",
      `The page's Content-Security-Policy forbids to fetch the kernel: add ${new URL(url).origin} to its connect-src ` +
        "('self', if that is the page's own).",
      { cause },
    );
  }
  const bytes =
    integrity === undefined
      ? undefined
      : await fetch(url).then(
          (response) => check(url, response),
          () => undefined,
        );
  if (bytes !== undefined) {
    return new EngineError(
      "E_KERNEL_INTEGRITY",
      `The kernel at ${url} is not the expected one: its hash is not ${integrity}. It may be of another version than the ` +
        "engine's script, or changed on the way: deploy the files of one version of allcores together, and empty caches.",
      { cause },
    );
  }
  return new EngineError(
    "E_KERNEL_MISSING",
    `The kernel could not be fetched from ${url} (${messageOf(cause)}): see whether that address answers, and, if it is of ` +
      "another origin, whether it sends Access-Control-Allow-Origin. Pages that are opened from disk cannot fetch: use a " +
      "server, or allcores/inline.",
    { cause },
  );
}

/** As error messages have an address. */
function short(url: string): string {
  return url.startsWith("data:") ? "the embedded kernel" : url;
}

function decode(url: string): Uint8Array<ArrayBuffer> {
  const comma = url.indexOf(",");
  const content = url.slice(comma + 1);
  if (/;base64$/i.test(url.slice(0, comma))) return fromBase64(decodeURIComponent(content));
  return Uint8Array.from(unescape(content), (character) => character.charCodeAt(0));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
