// Light or dark: the system's, until the visitor chooses.

const KEY = "allcores.theme"; // early.js reads it, too
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? system.matches : chosen === "dark";
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
