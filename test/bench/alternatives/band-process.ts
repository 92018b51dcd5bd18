// A process that computes bands: what threads replace. Its results are copied through a pipe.

import { readFileSync } from "node:fs";
import { cpuMs } from "../usage.ts";
import { BandKernel, type BandTask } from "./bands.ts";

/** What the process is asked for: a band, or its processor time so far. */
export type BandRequest = BandTask | "cpu";

const [, , kernelPath = ""] = process.argv;
const kernel = new BandKernel(new WebAssembly.Module(readFileSync(kernelPath)));

process.on("message", (request: BandRequest) => {
  process.send?.(request === "cpu" ? cpuMs() : kernel.render(request));
});
process.on("disconnect", () => process.exit());
