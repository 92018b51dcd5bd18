// The worker of a page. It imports nothing at run time and names no URL: what it needs is posted to it.

import { serveIsolated } from "../src/isolated-worker.ts";
import { failureOf, serve } from "../src/worker.ts";
import type { PostedBoot } from "./host.ts";
import { instantiateKernel } from "./kernel.ts";

/** The part of a dedicated worker's global scope that is used here; lib.dom knows only a page's. */
interface WorkerScope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(
    type: "message" | "messageerror",
    listener: (event: MessageEvent) => void,
    options?: { once: boolean },
  ): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.addEventListener("message", ({ data }) => start(data as PostedBoot), { once: true });

// Such as a shared memory, in a worker that is not isolated though its page is.
scope.addEventListener("messageerror", () => {
  scope.postMessage(failureOf(new Error("what its page sent cannot be read here")));
});

function start({ thread, module: source, memory, timeOrigin }: PostedBoot): void {
  let module: WebAssembly.Module;
  try {
    module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
  } catch (error) {
    scope.postMessage(failureOf(error));
    return;
  }
  if (memory === undefined) {
    serveIsolated((own) => instantiateKernel(module, own, timeOrigin), {
      post: (message, transfer) => scope.postMessage(message, transfer),
      listen: (hear) => scope.addEventListener("message", ({ data }) => hear(data)),
      now: () => performance.now(),
    });
    return;
  }
  serve(
    thread,
    () => instantiateKernel(module, memory, timeOrigin),
    (message) => scope.postMessage(message),
  );
  // A page is not told when a worker is gone.
  scope.postMessage({ type: "allcores:exit" });
  scope.close();
}
