// Loads and instantiates the kernel on Node, Deno and Bun.

import { readFile } from "node:fs/promises";
import { instantiateSync } from "@assemblyscript/loader";
import type { Kernel } from "../src/host.ts";

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** Loads and compiles a kernel from a file, once in the life of the program. */
export function compileKernel(url: URL): Promise<WebAssembly.Module> {
  let module = modules.get(url.href);
  if (module === undefined) {
    module = readFile(url).then((bytes) => WebAssembly.compile(bytes));
    module.catch(() => modules.delete(url.href)); // so that a later attempt may succeed
    modules.set(url.href, module);
  }
  return module;
}

/** Instantiates a kernel in this thread. Its clock counts milliseconds from `timeOrigin`, a wall-clock time. */
export function instantiateKernel(module: WebAssembly.Module, memory: WebAssembly.Memory, timeOrigin: number): Kernel {
  const offset = performance.timeOrigin - timeOrigin;
  const now = () => performance.now() + offset;
  return instantiateSync(module as never, { env: { memory, now } } as never).exports as unknown as Kernel;
}
