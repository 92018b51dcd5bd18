// Light or dark: the system's, until the visitor chooses.

import { type ChartColors, LIGHT_COLORS } from "../../src/bench/chart.ts";

const KEY = "allcores.theme"; // early.js reads it, too
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

/** The chart's colours on a dark page. */
const DARK_COLORS: ChartColors = {
  background: "#0e1013",
  ink: "#eceef1",
  muted: "#a0a8b3",
  grid: "#23272e",
  shade: "#16191e",
  ideal: "#474e58",
  series: ["#56b4e9", "#e69f00", "#2fc79a", "#e08fc0", "#f0e442", "#7ea6ff", "#ffffff"],
};

export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? system.matches : chosen === "dark";
}

/** As the page is now; a file is light, for paper. */
export function chartColors(): ChartColors {
  return isDark() ? DARK_COLORS : { ...LIGHT_COLORS, background: "#f7f7f5", shade: "#ecebe7", grid: "#dedcd6" };
}

/** Calls back when the theme changes. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

/** Makes a button switch between the themes. Its name says what it does. */
export function startTheme(button: HTMLElement): void {
  const tell = () => {
    button.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`);
    for (const listener of listeners) listener();
  };
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // storage is forbidden: it holds for this visit
    }
    tell();
  });
  system.addEventListener("change", tell);
  tell();
}
