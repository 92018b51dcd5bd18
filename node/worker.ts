// The worker of the Node host; Deno and Bun run it, too.

import { parentPort, workerData } from "node:worker_threads";
import type { WorkerBoot } from "../src/host.ts";
import { serveIsolated } from "../src/isolated-worker.ts";
import { serve } from "../src/worker.ts";
import { instantiateKernel } from "./kernel.ts";

const { thread, module, memory, timeOrigin } = workerData as WorkerBoot;
if (memory === undefined) {
  serveIsolated((own) => instantiateKernel(module, own, timeOrigin), {
    post: (message, transfer) => parentPort?.postMessage(message, transfer),
    listen: (hear) => parentPort?.on("message", hear),
    now: () => performance.now(),
  });
} else {
  serve(
    thread,
    () => instantiateKernel(module, memory, timeOrigin),
    (message) => parentPort?.postMessage(message),
  );
}
