// The page's engine, and what there is to say about it.

import { createEngine, type Engine, EngineError } from "allcores";
import { plural } from "../../src/bench/format.ts";
import { byId, element } from "./dom.ts";
import { timerResolutionMs, timerText } from "./environment.ts";

let engine: Promise<Engine> | undefined;

/** The engine with a worker for each core, which the page starts once. */
export function pageEngine(): Promise<Engine> {
  engine ??= createEngine();
  return engine;
}

/** Fills in the badge at the top when the engine is there, or when it is known why it is not. */
export async function showEngine(): Promise<void> {
  const badge = byId("mode");
  const label = byId("mode-label");
  const reason = byId("mode-reason");
  try {
    const { mode, modeReason, threads, cores, build, buildReason } = await pageEngine();
    badge.dataset.state = mode;
    label.textContent = `${mode} · ${plural(threads, "thread")}`;
    reason.textContent = modeReason.message;
    facts([
      ["Mode", mode],
      ["Threads", `${threads}, on ${plural(cores, "core")}`],
      ["Kernel", build === "simd" ? "SIMD" : `scalar: ${buildReason.message}`],
      ["Clock", timerText(timerResolutionMs())],
    ]);
  } catch (error) {
    badge.dataset.state = "failed";
    label.textContent = "no engine";
    reason.textContent = sentenceOf(error);
    facts([["Code", error instanceof EngineError ? error.code : "unknown"]]);
  }
}

function facts(entries: [string, string][]): void {
  byId("mode-facts").replaceChildren(
    ...entries.flatMap(([term, detail]) => [
      element("dt", { textContent: term }),
      element("dd", { textContent: detail }),
    ]),
  );
}

/** What an error says, with a capital and a full stop. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const sentence = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
