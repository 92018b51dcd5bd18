// A kernel that speaks the engine's language.

import { ABI_VERSION } from "../assembly/layout.ts";
import { EngineError } from "./errors.ts";
import type { Host, Kernel } from "./host.ts";

/** Instantiates the kernel in this thread. Throws `E_KERNEL` if it is of another ABI version than the engine. */
export function instantiateKernel(host: Host, module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel {
  const kernel = host.instantiate(module, memory);
  const version = kernel.ABI_VERSION.value;
  if (version !== ABI_VERSION) {
    throw new EngineError(
      "E_KERNEL",
      `the kernel speaks ABI version ${version}, the engine ${ABI_VERSION}: build or install both together`,
    );
  }
  return kernel;
}
