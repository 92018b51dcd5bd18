// The colour that a worker has: in the picture's tint, its legend and the timeline.

import { type SvgNode, svg } from "../../src/bench/svg.ts";
import { svgElement } from "./dom.ts";

/** Hues that are far apart, however many there are: steps of the golden angle. As the element's overlay has them. */
export function workerColor(thread: number, dark: boolean): string {
  const hue = Math.round((thread * 137.5 + 20) % 360);
  return dark ? `hsl(${hue} 75% 62%)` : `hsl(${hue} 70% 45%)`;
}

/** One swatch a worker. */
export function workerLegend(threads: number, dark: boolean): HTMLElement[] {
  return Array.from({ length: threads }, (_, thread) => {
    const swatch: SvgNode = svg(
      "svg",
      { viewBox: "0 0 10 10", "aria-hidden": "true" },
      svg("rect", { width: 10, height: 10, rx: 2, fill: workerColor(thread, dark) }),
    );
    const entry = document.createElement("span");
    entry.append(svgElement(swatch), `worker ${thread}`);
    return entry;
  });
}
