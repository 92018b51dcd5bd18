// The page: which view is seen, and that the address says so.

import { readAddress, VIEWS, type View, writeAddress } from "./address.ts";
import { byId } from "./dom.ts";
import { sentenceOf, showEngine } from "./engine.ts";
import { startTheme } from "./theme.ts";

/** A view's script: it fills in what belongs to it in the page. */
interface Controller {
  /** What the address holds of it; undefined is left out. */
  readonly parameters: Record<string, string | undefined>;
  /** Takes over what an address says. */
  apply(parameters: URLSearchParams): void;
  /** Takes the engine, or says why there is none. */
  start(): Promise<void>;
}

const TITLES: Record<View, string> = { explore: "Explore", scaling: "Scaling", counter: "Counter" };

/** Each is loaded when it is first seen, or when there is time. `changed`: something was changed by hand. */
const LOAD: Record<View, (changed: () => void) => Promise<Controller>> = {
  explore: async (changed) => new (await import("./explore.ts")).Explore(changed),
  scaling: async (changed) => new (await import("./scaling.ts")).Scaling(changed),
  counter: async (changed) => new (await import("./counter.ts")).Counter(changed),
};

const loaded = new Map<View, Promise<Controller>>();
let current = readAddress(location.hash).view;

function load(view: View): Promise<Controller> {
  const there = loaded.get(view);
  if (there !== undefined) return there;
  const loading = LOAD[view](() => void changed(view)).then((controller) => {
    controller.apply(parametersFor(view));
    void controller.start();
    return controller;
  });
  loaded.set(view, loading);
  return loading;
}

/** What the address says, if it is about this view. */
function parametersFor(view: View): URLSearchParams {
  const address = readAddress(location.hash);
  return address.view === view ? address.parameters : new URLSearchParams();
}

/** What the address says is what is seen. */
async function follow(): Promise<void> {
  const { view } = readAddress(location.hash);
  current = view;
  document.documentElement.dataset.view = view;
  document.title = `${TITLES[view]} · allcores`;
  for (const link of document.querySelectorAll("nav a")) {
    if (readAddress(link.getAttribute("href") ?? "").view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const isNew = !loaded.has(view);
  const controller = await load(view);
  if (!isNew && view === current) controller.apply(parametersFor(view));
}

/** The address follows what was changed by hand, without a step in the history. */
async function changed(view: View): Promise<void> {
  const address = writeAddress(view, (await load(view)).parameters);
  if (view === current && address !== location.hash) history.replaceState(null, "", address);
  // A view is found again as it was left.
  for (const link of document.querySelectorAll("nav a")) {
    if (readAddress(link.getAttribute("href") ?? "").view === view) link.setAttribute("href", address);
  }
}

async function start(): Promise<void> {
  startTheme(byId("theme"));
  byId("skip").addEventListener("click", () => byId("main").focus());
  addEventListener("hashchange", () => void follow());
  try {
    await follow();
    delete document.documentElement.dataset.loading;
    await showEngine();
    for (const view of VIEWS) await load(view);
  } catch (error) {
    // A part of the page did not arrive.
    delete document.documentElement.dataset.loading;
    byId("mode").dataset.state = "failed";
    byId("mode-label").textContent = "not loaded";
    byId("mode-reason").textContent = sentenceOf(error);
  }
}

void start();
