// A worker of workerpool.

import { workerData } from "node:worker_threads";
import workerpool from "workerpool";
import { BandKernel, type BandTask } from "./bands.ts";

const kernel = new BandKernel(workerData.module);

workerpool.worker({
  render(task: BandTask) {
    const counts = kernel.render(task);
    return new workerpool.Transfer(counts, [counts.buffer]);
  },
  nothing() {},
});
