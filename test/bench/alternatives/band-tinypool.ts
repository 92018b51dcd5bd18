// A worker of Tinypool.

import Tinypool from "tinypool";
import { BandKernel, type BandTask } from "./bands.ts";

const kernel = new BandKernel(process.__tinypool_state__.workerData.module);

export default function render(task: BandTask): unknown {
  return Tinypool.move(kernel.render(task));
}

export function nothing(): void {}
