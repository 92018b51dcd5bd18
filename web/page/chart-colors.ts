// The chart's colours on the page. Its files keep the chart's own.

import { type ChartColors, LIGHT_COLORS } from "../../src/bench/chart.ts";
import { isDark } from "./theme.ts";

/** On the dark page. */
const DARK_COLORS: ChartColors = {
  background: "#0e1013",
  ink: "#eceef1",
  muted: "#a0a8b3",
  grid: "#23272e",
  shade: "#16191e",
  ideal: "#474e58",
  series: ["#56b4e9", "#e69f00", "#2fc79a", "#e08fc0", "#f0e442", "#7ea6ff", "#ffffff"],
};

/** On the light page, whose background is not quite white. */
const PAGE_COLORS: ChartColors = {
  ...LIGHT_COLORS,
  background: "#f7f7f5",
  shade: "#ecebe7",
  grid: "#dedcd6",
};

/** As the page is now. */
export function chartColors(): ChartColors {
  return isDark() ? DARK_COLORS : PAGE_COLORS;
}
