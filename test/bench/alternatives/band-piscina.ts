// A worker of Piscina.

import { move, workerData } from "piscina";
import { BandKernel, type BandTask } from "./bands.ts";

const kernel = new BandKernel(workerData.module);

export default function render(task: BandTask): unknown {
  return move(kernel.render(task));
}

export function nothing(): void {}
