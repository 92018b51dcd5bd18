// A worker that renders on its one thread, with what it was started for.

import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { instantiateKernel } from "../../../node/kernel.ts";
import { EngineMemory } from "../../../src/memory.ts";
import { SerialKernel } from "../../../src/serial.ts";
import type { Algorithm } from "../../../src/types.ts";
import { oracleCounts, type Picture } from "../../oracle.ts";
import type { Rendering } from "./contender.ts";

/** What the worker renders with. */
export type Program =
  /** The engine's kernel, as in the engine, but called in this thread. `file` is its path. */
  | { kind: "kernel"; file: string; shared: boolean; algorithm: Algorithm }
  /** The loop of assembly/plain.ts. */
  | { kind: "assemblyscript"; file: string }
  /** The loop of oracle.ts. */
  | { kind: "typescript" };

/** A view, and how often to render it: the answer's time is the mean. */
export interface Order {
  picture: Picture;
  repeats: number;
}

interface PlainExports {
  memory: WebAssembly.Memory;
  countsAddress(): number;
  render(width: number, height: number, maxIterations: number, ...region: [number, number, number, number]): void;
}

type Render = (picture: Picture) => Rendering;

function rendererOf(program: Program): Render {
  switch (program.kind) {
    case "kernel": {
      const module = new WebAssembly.Module(readFileSync(program.file));
      const { timeOrigin } = performance;
      const kernel = new SerialKernel(
        (memory) => instantiateKernel(module, memory, timeOrigin),
        () => performance.now(),
        new EngineMemory(program.shared),
      );
      return ({ width, height, region, maxIterations }) =>
        kernel.mandelbrot({ width, height, region, maxIterations, algorithm: program.algorithm });
    }
    case "assemblyscript": {
      const module = new WebAssembly.Module(readFileSync(program.file));
      return plain(new WebAssembly.Instance(module, { env: { abort() {} } }).exports as unknown as PlainExports);
    }
    case "typescript":
      return (picture) => {
        const begin = performance.now();
        const counts = oracleCounts(picture);
        return { elapsedMs: performance.now() - begin, counts };
      };
  }
}

function plain({ memory, countsAddress, render }: PlainExports): Render {
  return ({ width, height, maxIterations, region }) => {
    const address = countsAddress();
    const missing = address + width * height * 4 - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    const begin = performance.now();
    render(width, height, maxIterations, region.reMin, region.reMax, region.imMin, region.imMax);
    const elapsedMs = performance.now() - begin;
    return { elapsedMs, counts: new Uint32Array(memory.buffer, address, width * height).slice() };
  };
}

const render = rendererOf(workerData as Program);
parentPort?.on("message", ({ picture, repeats }: Order) => {
  let elapsedMs = 0;
  let counts = new Uint32Array();
  for (let i = 0; i < repeats; i++) {
    const rendering = render(picture);
    elapsedMs += rendering.elapsedMs / repeats;
    counts = rendering.counts as Uint32Array<ArrayBuffer>;
  }
  parentPort?.postMessage({ elapsedMs, counts } satisfies Rendering, [counts.buffer]);
});
