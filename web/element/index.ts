// `allcores/element`: defines <mandelbrot-view>, once, where there are elements.

import { MandelbrotView } from "./view.ts";

export type { PaletteName } from "../../src/colors.ts";
export { MandelbrotView, type MandelbrotViewEvents, type Overlay, type RenderSummary } from "./view.ts";

if (typeof customElements !== "undefined" && customElements.get("mandelbrot-view") === undefined) {
  customElements.define("mandelbrot-view", MandelbrotView);
}
