// npm run bench:browser: how the engine does in real browsers, on a page that is cross-origin isolated, and on one that is not.

import { ms, percent, table } from "../../node/cli/format.ts";
import { readEnvironment } from "../../node/environment.ts";
import { median, medianAbsoluteDeviation } from "../../src/bench/statistics.ts";
import type { Mode } from "../../src/types.ts";
import { interleave, ratioOf } from "../bench/sampling.ts";
import { type Browser, browsers, closeBrowsers } from "./drive.ts";
import type { Bench } from "./page/bench.ts";
import { createTestSite } from "./site.ts";

/** Rounds of everything, after one that does not count. */
const ROUNDS = 15;
/** Milliseconds that an abort, and a task of the main thread, may take. */
const ABORT_MS = 20;
const TASK_MS = 50;
/** How many times as fast two workers are to be as one. */
const SPEEDUPS: Partial<Record<Mode, number>> = { shared: 1.9, isolated: 1.8 };

const { cpu, usableCores, version, loadAverage } = readEnvironment();
console.log(
  `${cpu}, ${usableCores} cores usable, load ${loadAverage?.toFixed(2) ?? "unknown"}, driven by Node ${version}\n` +
    `medians of ${ROUNDS} samples taken in turn, ± their median absolute deviation. “of least”: the speedup of the\n` +
    "shortest samples, which a machine that has other things to do disturbs least\n",
);
try {
  for (const browser of await browsers()) {
    await measure(browser, "isolated", ["shared", "isolated", "single"]);
    await measure(browser, "none", ["isolated", "single"]);
  }
} finally {
  await closeBrowsers();
}

async function measure(browser: Browser, headers: "isolated" | "none", modes: Mode[]): Promise<void> {
  const site = await createTestSite({ headers, program: "browser/page/bench" });
  const { page, problems, close } = await browser.open({ url: `${site.origin}/program` });
  const call = (name: keyof Bench, ...parameters: unknown[]) =>
    page.evaluate(`bench.${name}(...${JSON.stringify(parameters)})`) as Promise<number>;
  try {
    const rows = modes.flatMap((mode) => (mode === "single" ? [1] : [1, 2]).map((threads) => ({ mode, threads })));
    const renders = rows.map((row) => ({
      ...row,
      ms: [] as number[],
      sample: () => call("render", row.mode, row.threads),
    }));
    const others = modes.flatMap((mode) =>
      (["abort", "pause"] as const).map((name) => ({ mode, name, ms: [] as number[], sample: () => call(name, mode) })),
    );
    const all = [...renders, ...others].map(({ ms, sample }) => ({
      samples: ROUNDS,
      sample: async () => void ms.push(await sample()),
    }));
    for (const row of [...renders, ...others]) await row.sample(); // engines start, code is optimised
    await interleave(all, ROUNDS);

    const page = headers === "isolated" ? "a cross-origin isolated page" : "a page without the headers";
    console.log(`${browser.label}, ${page}: the reference picture, naive`);
    const of = (mode: Mode, threads: number) =>
      renders.find((row) => row.mode === mode && row.threads === threads)?.ms ?? [];
    const body = renders.map(({ mode, threads, ms: samples }) => {
      const { ratio, mad } = ratioOf(of(mode, 1), samples);
      const speed = threads === 1 ? "" : `${ratio.toFixed(2)} ± ${mad.toFixed(2)}`;
      const best = Math.min(...of(mode, 1)) / Math.min(...samples);
      const target = threads === 1 ? undefined : SPEEDUPS[mode];
      return [
        mode,
        String(threads),
        ms(median(samples)),
        `± ${ms(medianAbsoluteDeviation(samples))}`,
        ms(Math.min(...samples)),
        speed,
        threads === 1 ? "" : percent(ratio / threads),
        threads === 1 ? "" : best.toFixed(2),
        target === undefined ? "" : verdict(ratio >= target, `at least ${target}`),
      ];
    });
    console.log(
      table(["mode", "workers", "median", "± MAD", "least", "speedup", "efficiency", "of least", "target"], body),
    );
    const limits = { abort: ABORT_MS, pause: TASK_MS };
    const what = { abort: "abort → last worker gone", pause: "longest task, main thread" };
    const times = others.map(({ mode, name, ms: samples }) => [
      what[name],
      mode,
      ms(median(samples)),
      ms(Math.max(...samples)),
      verdict(Math.max(...samples) <= limits[name], `at most ${limits[name]} ms`),
    ]);
    console.log(table(["", "mode", "median", "maximum", "target"], times));
    for (const problem of problems) console.log(`the page complained: ${problem}`);
  } finally {
    await close();
    await site.close();
  }
}

function verdict(met: boolean, target: string): string {
  return `${target}: ${met ? "met" : "missed"}`;
}
