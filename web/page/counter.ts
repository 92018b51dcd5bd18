// Threads that add to one number, guarded three ways, side by side.

import { createEngine } from "allcores";
import { type CountReport, MOST_ATTEMPTS, measureCount } from "../../src/bench/counter.ts";
import { integer, ms, percent, plural } from "../../src/bench/format.ts";
import type { Guard } from "../../src/types.ts";
import { integerOf } from "./address.ts";
import { byId, choose, element, setShare } from "./dom.ts";
import { pageEngine, sentenceOf } from "./engine.ts";

const GUARDS: readonly Guard[] = ["none", "atomic", "lock"];
const ABOUT: Record<Guard, string> = {
  none: "load, add, store",
  atomic: "one atomic add",
  lock: "load, add, store in a mutex",
};
const THREADS = [2, 4, 8, 10, 16];
/** Those of the Python benchmark. */
const DEFAULT_THREADS = 10;
const DEFAULT_INCREMENTS = 100_000;

const FACTS = ["expected", "lost", "time", "contention"] as const;

interface Card {
  root: HTMLElement;
  value: HTMLElement;
  fill: HTMLElement;
  outcome: HTMLElement;
  facts: Record<(typeof FACTS)[number], HTMLElement>;
}

export class Counter {
  readonly #form = byId<HTMLFormElement>("counter-form");
  readonly #cards = new Map<Guard, Card>();
  #running: AbortController | undefined;

  constructor(changed: () => void) {
    byId<HTMLSelectElement>("counter-threads").replaceChildren(
      ...THREADS.map((threads) => element("option", { value: `${threads}`, textContent: `${threads}` })),
    );
    for (const guard of GUARDS) {
      const card = makeCard(guard);
      this.#cards.set(guard, card);
      byId("counter-cards").append(card.root);
    }
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.#form.addEventListener("change", () => {
      this.#clear();
      changed();
    });
    byId("counter-cancel").addEventListener("click", () => this.#running?.abort());
  }

  get parameters(): Record<string, string | undefined> {
    const { threads, increments } = this.#choice();
    return {
      threads: threads === DEFAULT_THREADS ? undefined : `${threads}`,
      increments: increments === DEFAULT_INCREMENTS ? undefined : `${increments}`,
    };
  }

  apply(parameters: URLSearchParams): void {
    if (this.#running !== undefined) return;
    const take = (name: string, value: number) =>
      choose(this.#form.elements.namedItem(name) as HTMLSelectElement, `${value}`);
    take("threads", DEFAULT_THREADS);
    take("threads", integerOf(parameters, "threads", 1, 256) ?? DEFAULT_THREADS);
    take("increments", DEFAULT_INCREMENTS);
    take("increments", integerOf(parameters, "increments", 1, 2 ** 31 - 1) ?? DEFAULT_INCREMENTS);
    this.#clear();
  }

  /** Where threads cannot share a number, says so, and what to do. */
  async start(): Promise<void> {
    try {
      const { mode, modeReason } = await pageEngine();
      if (mode === "shared") return;
      this.#refuse(
        `Threads need a memory that they share to add to one number, and there is none in ${mode} mode.`,
        modeReason.message,
      );
    } catch (error) {
      this.#refuse("There is no engine, so there is nothing to count with.", sentenceOf(error));
    }
  }

  #refuse(...sentences: string[]): void {
    byId<HTMLButtonElement>("counter-run").disabled = true;
    byId("counter-said").textContent = "Not possible here.";
    const story = byId("counter-story");
    story.classList.add("refusal");
    story.replaceChildren(...sentences.map((sentence) => element("p", { textContent: sentence })));
  }

  #choice(): { threads: number; increments: number } {
    const value = (name: string) => Number((this.#form.elements.namedItem(name) as HTMLSelectElement).value);
    return { threads: value("threads"), increments: value("increments") };
  }

  #clear(): void {
    const { threads, increments } = this.#choice();
    for (const { root, value, fill, outcome, facts } of this.#cards.values()) {
      delete root.dataset.exact;
      delete root.dataset.lost;
      value.textContent = "–";
      outcome.textContent = "";
      setShare(fill, 0);
      facts.expected.textContent = integer(threads * increments);
      for (const fact of ["lost", "time", "contention"] as const) facts[fact].textContent = "–";
    }
  }

  async #run(): Promise<void> {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    const { signal } = running;
    this.#running = running;
    this.#clear();
    this.#setRunning(true);
    const { threads, increments } = this.#choice();
    const reports = new Map<Guard, CountReport>();
    const say = (text: string) => {
      byId("counter-said").textContent = text;
    };
    try {
      say(`Starting ${plural(threads, "worker")} …`);
      const engine = await createEngine({ threads });
      try {
        for (const guard of GUARDS) {
          say(guard === "none" ? "Without a guard, until an addition gets lost …" : `Guard: ${guard} …`);
          const report = await measureCount(engine, { threads, increments, guard, signal });
          reports.set(guard, report);
          this.#show(report);
        }
      } finally {
        await engine.close();
      }
      say(`Done: ${plural(threads, "thread")}, ${integer(increments)} additions each.`);
      this.#tell(reports);
    } catch (error) {
      say(signal.aborted ? "Cancelled." : sentenceOf(error));
    } finally {
      this.#running = undefined;
      this.#setRunning(false);
    }
  }

  #show(report: CountReport): void {
    const { guard, value, expected, lost, lock, attempts } = report;
    const card = this.#cards.get(guard) as Card;
    card.root.toggleAttribute("data-lost", lost > 0);
    card.root.toggleAttribute("data-exact", lost === 0);
    card.value.textContent = integer(value);
    setShare(card.fill, value / expected);
    card.outcome.textContent = outcomeOf(report);
    card.facts.lost.textContent = lost === 0 ? "none" : `${integer(lost)} (${percent(lost / expected)})`;
    card.facts.time.textContent = ms(report.ms);
    card.facts.contention.textContent =
      guard === "lock"
        ? `${percent(lock.contended / Math.max(1, lock.acquisitions), 2)}, ${plural(lock.waits, "wait")}`
        : guard === "none"
          ? plural(attempts, "run")
          : "in hardware";
  }

  /** Two sentences: what happened without a guard, and what with one. */
  #tell(reports: ReadonlyMap<Guard, CountReport>): void {
    const [none, atomic, lock] = GUARDS.map((guard) => reports.get(guard) as CountReport) as [
      CountReport,
      CountReport,
      CountReport,
    ];
    const unguarded =
      none.lost > 0
        ? `Without a guard ${integer(none.lost)} of ${integer(none.expected)} additions vanished: a thread read the number, ` +
          "others wrote theirs, and it wrote its own over them."
        : `Without a guard no addition got lost in ${plural(MOST_ATTEMPTS, "run")}: the threads happened to take turns, ` +
          "which nothing promises.";
    const wrong = [atomic, lock].find(({ lost }) => lost !== 0);
    const guarded =
      wrong === undefined
        ? `With the atomic addition and with the lock the count is exactly ${integer(lock.expected)}; the lock took ` +
          `${(lock.ms / atomic.ms).toFixed(1)} times as long as the atomic addition, and was found taken ` +
          `${integer(lock.lock.contended)} times.`
        : `The guard “${wrong.guard}” lost ${integer(wrong.lost)} additions, which it must not: please report this.`;
    byId("counter-story").replaceChildren(
      element("p", { textContent: unguarded }),
      element("p", { textContent: guarded }),
    );
  }

  #setRunning(on: boolean): void {
    for (const control of this.#form.querySelectorAll<HTMLSelectElement | HTMLButtonElement>("select, button")) {
      control.disabled = on;
    }
    const cancel = byId<HTMLButtonElement>("counter-cancel");
    cancel.disabled = !on;
    (on ? cancel : byId("counter-run")).focus({ preventScroll: true });
  }
}

function outcomeOf({ guard, lost, attempts }: CountReport): string {
  if (lost > 0) return guard === "none" ? `Additions lost, in ${runOf(attempts)}` : "Wrong, which must not be";
  return guard === "none" ? `None lost in ${plural(attempts, "run")}` : "Exact";
}

function runOf(attempts: number): string {
  return attempts === 1 ? "the first run" : `run ${attempts}`;
}

function makeCard(guard: Guard): Card {
  const value = element("p", { className: "value", textContent: "–" });
  const fill = element("span", { className: "fill" });
  const outcome = element("p", { className: "outcome" });
  const facts = Object.fromEntries(FACTS.map((fact) => [fact, element("dd", { textContent: "–" })])) as Card["facts"];
  const names = {
    expected: "Expected",
    lost: "Lost",
    time: "Time",
    contention: guard === "none" ? "Repeated" : "Contended",
  };
  const title = element("h2", { textContent: guard, id: `counter-${guard}` });
  const root = element(
    "article",
    { className: "card" },
    element("header", {}, title, element("p", { textContent: ABOUT[guard] })),
    element("div", {}, value, outcome),
    element("span", { className: "bar" }, fill),
    element("dl", {}, ...FACTS.flatMap((fact) => [element("dt", { textContent: names[fact] }), facts[fact]])),
  );
  root.setAttribute("aria-labelledby", title.id);
  return { root, value, fill, outcome, facts };
}
