// The page: which view is seen, and that the address says so.

import { readAddress, VIEWS, type View, writeAddress } from "./address.ts";
import { Counter } from "./counter.ts";
import { byId } from "./dom.ts";
import { showEngine } from "./engine.ts";
import { Explore } from "./explore.ts";
import { Scaling } from "./scaling.ts";
import { startTheme } from "./theme.ts";

const TITLES: Record<View, string> = { explore: "Explore", scaling: "Scaling", counter: "Counter" };

let current: View = readAddress(location.hash).view;

const views = {
  explore: new Explore(() => changed("explore")),
  scaling: new Scaling(() => changed("scaling")),
  counter: new Counter(() => changed("counter")),
} satisfies Record<View, unknown>;

/** What the address says is what is seen. */
function follow(): void {
  const { view, parameters } = readAddress(location.hash);
  current = view;
  document.documentElement.dataset.view = view;
  document.title = `${TITLES[view]} · allcores`;
  views[view].apply(parameters);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href")?.startsWith(`#${view}`)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** What is seen has been changed by hand: the address follows, without a step in the history. */
function changed(view: View): void {
  const address = writeAddress(view, views[view].parameters);
  if (view === current && address !== location.hash) history.replaceState(null, "", address);
  // A view is found again as it was left.
  document.querySelector(`nav a[href^="#${view}"]`)?.setAttribute("href", address);
}

startTheme(byId("theme"));
byId("skip").addEventListener("click", () => byId("main").focus());
// Each view once, so that all have their defaults; then the one that the address names.
for (const view of VIEWS) if (view !== current) views[view].apply(new URLSearchParams());
follow();
delete document.documentElement.dataset.loading;
addEventListener("hashchange", follow);

void showEngine();
for (const view of VIEWS) void views[view].start();
