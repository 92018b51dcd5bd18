// The serial build of the kernel in a worker of its own, so that the page stays alive: what threads are measured against.

import { SerialKernel } from "../../src/serial.ts";
import type { MandelbrotOptions } from "../../src/types.ts";
import { instantiateKernel } from "../kernel.ts";

/** What it is sent first: where the kernel is; then pictures to render. */
export type SerialRequest = { kernel: string } | { options: MandelbrotOptions };

/** What it answers to each: nothing of the kernel, then the time inside the kernel and the counts, or what went wrong. */
export type SerialAnswer =
  | { elapsedMs: number; counts: Uint32Array<ArrayBuffer> }
  | { ready: true }
  | { error: string };

/** The part of a dedicated worker's global scope that is used here; lib.dom knows only a page's. */
interface WorkerScope {
  postMessage(message: SerialAnswer, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<SerialRequest>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
let kernel: SerialKernel | undefined;

scope.addEventListener("message", ({ data }) => {
  answer(data).catch((error) => scope.postMessage({ error: String(error) }));
});

async function answer(request: SerialRequest): Promise<void> {
  if ("kernel" in request) {
    const response = await fetch(request.kernel);
    if (!response.ok) throw new Error(`${request.kernel} answered ${response.status}`);
    const module = await WebAssembly.compile(await response.arrayBuffer());
    kernel = new SerialKernel(
      (memory) => instantiateKernel(module, memory, performance.timeOrigin),
      () => performance.now(),
    );
    scope.postMessage({ ready: true });
    return;
  }
  if (kernel === undefined) throw new Error("there is no kernel yet");
  const { elapsedMs, counts } = kernel.mandelbrot(request.options);
  const own = counts as Uint32Array<ArrayBuffer>; // the result of the serial kernel is a copy
  scope.postMessage({ elapsedMs, counts: own }, [own.buffer]);
}
