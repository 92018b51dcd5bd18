// The worker of the Node host; Deno and Bun run it, too.

import { parentPort, workerData } from "node:worker_threads";
import type { WorkerBoot } from "../src/host.ts";
import { serve } from "../src/worker.ts";
import { instantiateKernel } from "./kernel.ts";

const { thread, module, memory, timeOrigin } = workerData as WorkerBoot;
serve(
  thread,
  () => instantiateKernel(module, memory, timeOrigin),
  (message) => parentPort?.postMessage(message),
);
