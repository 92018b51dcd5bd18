// Loads the kernel into a page, and instantiates it: in the page as in its workers.

import { instantiateSync } from "@assemblyscript/loader";
import type { Kernel } from "../src/host.ts";

/** Instantiates a kernel in this thread. Its clock counts milliseconds from `timeOrigin`, a wall-clock time. */
export function instantiateKernel(module: WebAssembly.Module, memory: WebAssembly.Memory, timeOrigin: number): Kernel {
  const offset = performance.timeOrigin - timeOrigin;
  const now = () => performance.now() + offset;
  return instantiateSync(module as never, { env: { memory, now } } as never).exports as unknown as Kernel;
}
