// What the engine is to reach, and what it has reached in this run. Targets are for people: missing one fails nothing.

import { plural } from "../../src/bench/format.ts";
import type { Timing } from "../../src/bench/timing.ts";
import type { DispatchReport, DispatchRow } from "./dispatch.ts";
import type { KernelReport } from "./kernel.ts";
import { type Ratio, ratioOf } from "./sampling.ts";
import type { ThreadsReport } from "./threads.ts";

export interface Target {
  id: string;
  title: string;
  /** The measured value is to be at least or at most so much. */
  bound: "at least" | "at most";
  value: number;
  /** Null where this run has not measured it. */
  measured: Ratio | null;
  met: boolean | null;
  /** What the figure is of, or why there is none. */
  note: string;
}

export interface Reports {
  kernel: KernelReport | null;
  threads: ThreadsReport | null;
  dispatch: DispatchReport | null;
}

/** All targets, in a fixed order, whichever parts were measured. */
export function targetsOf({ kernel, threads, dispatch }: Reports): Target[] {
  const titleOf = (id: string) => kernel?.views.find((view) => view.id === id)?.title ?? id;
  const worst = <Item extends Ratio>(items: readonly Item[] | undefined): Item | null =>
    items?.reduce<Item | null>((most, item) => (most && most.ratio >= item.ratio ? most : item), null) ?? null;
  const slowestView = worst(kernel?.ratios.exactByNaive);
  const ratios = kernel?.ratios;
  const [view, large] = threads?.efficiency ?? [];
  const cold = dispatch?.cold.at(-1);
  const jobs = jobsByPool(dispatch, ({ median }) => median);
  const single = jobsByPool(dispatch, ({ single }) => single.median);
  const memory = memoryByProcesses(threads);
  return [
    target("naive-ceiling", "naive, speed by the bare 128-bit recurrence's", "at least", 0.7, ratios?.naiveOfCeiling),
    target(
      "exact-native",
      "exact, time by C's with the widest vectors",
      "at most",
      0.25,
      ratios?.exactByNative,
      ratios?.exactByNative?.native,
    ),
    target(
      "exact-naive",
      "exact, time by naive's, on its worst view",
      "at most",
      1.03,
      slowestView,
      slowestView ? titleOf(slowestView.view) : "",
    ),
    target("threads-serial", "naive, time by that without threads", "at most", 1.01, ratios?.threadedBySerial?.naive),
    target(
      "exact-threads-serial",
      "exact, time by that without threads",
      "at most",
      1.01,
      ratios?.threadedBySerial?.exact,
    ),
    target("efficiency", "exact, efficiency of two workers", "at least", 0.93, view?.efficiency, view?.view),
    target("efficiency-large", "exact, efficiency of two workers", "at least", 0.97, large?.efficiency, large?.view),
    target("memory-processes", "peak memory by that of processes", "at most", 0.5, memory, memory?.note),
    target("dispatch", "a job of a task for each, by the best pool's", "at most", 0.5, jobs, jobs?.note),
    target("dispatch-single", "a job of one task, by the best pool's", "at most", 0.5, single, single?.note),
    target("cold", "cold start, time by bare workers'", "at most", 1.2, cold?.ratio, workers(cold?.threads)),
    target(
      "memory",
      "memory of idle workers by bare ones'",
      "at most",
      1.15,
      cold?.memory.ratio,
      workers(cold?.threads),
    ),
  ];
}

function target(
  id: string,
  title: string,
  bound: Target["bound"],
  value: number,
  measured: Ratio | null | undefined,
  note = "",
): Target {
  if (!measured) return { id, title, bound, value, measured: null, met: null, note: "not measured" };
  const { ratio, mad } = measured;
  const met = bound === "at least" ? ratio >= value : ratio <= value;
  return { id, title, bound, value, measured: { ratio, mad }, met, note };
}

function workers(threads: number | undefined): string {
  return threads === undefined ? "" : plural(threads, "worker");
}

/** The engine's empty job by that of the pool which is the fastest, both timed as `timeOf` says. */
function jobsByPool(
  dispatch: DispatchReport | null,
  timeOf: (row: DispatchRow) => Timing,
): (Ratio & { note: string }) | null {
  const pools = dispatch?.rows.filter(({ alternative }) => alternative !== "shared" && alternative !== "messages");
  const best = pools?.toSorted((a, b) => timeOf(a).medianMs - timeOf(b).medianMs)[0];
  const engine = dispatch?.rows.find(({ alternative }) => alternative === "shared");
  if (!best || !engine) return null;
  return { ...ratioOf(timeOf(engine).samplesMs, timeOf(best).samplesMs), note: best.title };
}

/**
 * The engine's peak by that of child processes, with the most threads: with views, since that no result has to be copied is
 * what shared memory is for. There is one figure of each: no deviation.
 */
function memoryByProcesses(threads: ThreadsReport | null): (Ratio & { note: string }) | null {
  const most = threads?.rows.at(-1)?.threads;
  const peakOf = (id: string) => threads?.rows.find((row) => row.threads === most && row.alternative === id)?.peakBytes;
  const engine = peakOf("view");
  const processes = peakOf("processes");
  return engine && processes
    ? { ratio: engine / processes, mad: 0, note: `${plural(most ?? 0, "thread")}, view` }
    : null;
}
