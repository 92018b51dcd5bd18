// Part 1: who renders the views how fast on one thread.

import { sha256 } from "../../node/hash.ts";
import { type Timing, timing } from "../../src/bench/timing.ts";
import { hasSimd } from "../../src/features.ts";
import type { Contender, Skipped } from "./contenders/contender.ts";
import { type BareVariant, type Compiler, NativeControl, nativeContenders } from "./contenders/native.ts";
import { startOneThreadContenders } from "./contenders/one-thread.ts";
import { interleave, type Ratio, ratioOf } from "./sampling.ts";
import { checkCounts, type View } from "./views.ts";

export interface KernelPlan {
  /** Ratios are told for the first. */
  views: readonly View[];
  samples: number;
  /** The folder of the engine's kernels. */
  kernels: URL;
}

/** What a contender took for a view. */
export interface KernelRow extends Timing {
  view: string;
  contender: string;
  title: string;
  /** Which of its ways a contender with several took: the one that was fastest in the warm-up. */
  variant: string | null;
  /** Of the iterations that brute force executes, whoever skips some. */
  iterationsPerSecond: number;
  countsSha256: string;
}

/** The bare recurrence. */
export interface CeilingRow extends Timing {
  id: BareVariant;
  title: string;
  /** Those that it executed, in each sample. */
  iterations: number;
  iterationsPerSecond: number;
}

export interface KernelReport {
  views: readonly View[];
  /** Null if there is none. */
  compiler: Compiler | null;
  rows: KernelRow[];
  ceilings: CeilingRow[];
  skipped: Skipped[];
  /** Null where a row that they need was skipped. */
  ratios: {
    /** How near naive comes to the bare recurrence, by its speed, on the first view. */
    naiveOfCeiling: Ratio | null;
    /** The time of exact by that of the widest vectors of C, on the first view. */
    exactByNative: (Ratio & { native: string }) | null;
    /** The time of exact by that of naive, for each view. */
    exactByNaive: (Ratio & { view: string })[];
    /** The time with threads by that without, on the first view. */
    threadedBySerial: { naive: Ratio; exact: Ratio } | null;
  };
}

/** Samples of a row that takes a second for what others do in a tenth. */
const SLOW_SAMPLES = 3;

/** Renders before the samples: by then the optimising compiler has the kernel. */
const WARM_UPS = 3;

const CEILINGS: readonly { id: BareVariant; title: string }[] = [
  { id: "add", title: "C, 128-bit, bare recurrence" },
  { id: "mixed", title: "C, 128-bit, bare, half doubled ×2" },
];

/**
 * Measures every contender on every view.
 *
 * @throws {WrongCountsError} If anybody computed other counts than the view has.
 */
export async function measureKernels(plan: KernelPlan, onView: (title: string) => void): Promise<KernelReport> {
  const control = await NativeControl.start();
  const native = await nativeContenders(control);
  const engine = startOneThreadContenders(plan.kernels, hasSimd());
  const contenders = [...engine.contenders, ...native.contenders];
  const rows: KernelRow[] = [];
  const ceilings: CeilingRow[] = [];
  try {
    for (const view of plan.views) {
      onView(view.title);
      const isFirst = view === plan.views[0];
      const bare = isFirst && control instanceof NativeControl ? control : null;
      const measured = await measureView(view, isFirst, contenders, bare, plan.samples);
      rows.push(...measured.rows);
      ceilings.push(...measured.ceilings);
    }
  } finally {
    await Promise.all(contenders.map((contender) => contender.close()));
    if (control instanceof NativeControl) await control.close();
  }
  const skipped = [...engine.skipped, ...native.skipped];
  if ("reason" in control) skipped.push(...CEILINGS.map(({ id, title }) => ({ id, title, reason: control.reason })));
  return {
    views: plan.views,
    compiler: control instanceof NativeControl ? control.compiler : null,
    rows,
    ceilings,
    skipped,
    ratios: ratiosOf(plan.views, rows, ceilings),
  };
}

async function measureView(
  view: View,
  isFirst: boolean,
  contenders: readonly Contender[],
  bare: NativeControl | null,
  samples: number,
): Promise<{ rows: KernelRow[]; ceilings: CeilingRow[] }> {
  const render = async (contender: Contender) => {
    const { elapsedMs, counts, variant = null } = await contender.render(view);
    checkCounts(view, sha256(counts), contender.title);
    return { elapsedMs, variant };
  };
  const variants = new Map<Contender, string | null>();
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) {
    for (const contender of contenders) {
      if (contender.slow && !isFirst && warmUp > 0) continue;
      variants.set(contender, (await render(contender)).variant);
    }
  }
  const times = new Map(contenders.map((contender) => [contender, [] as number[]]));
  const bareTimes = new Map(CEILINGS.map(({ id }) => [id, [] as number[]]));
  let iterations = 0;
  await interleave(
    [
      ...contenders.map((contender) => ({
        samples: contender.slow ? Math.min(samples, SLOW_SAMPLES) : samples,
        sample: async () => void times.get(contender)?.push((await render(contender)).elapsedMs),
      })),
      ...(bare === null ? [] : CEILINGS).map(({ id }) => ({
        samples,
        sample: async () => {
          const sample = await (bare as NativeControl).bare(id, view.iterations);
          iterations = sample.iterations;
          bareTimes.get(id)?.push(sample.elapsedMs);
        },
      })),
    ],
    samples,
  );
  const perSecond = (iterations: number, ms: number) => iterations / (ms / 1000);
  return {
    rows: contenders.map((contender) => {
      const time = timing(times.get(contender) as number[]);
      return {
        view: view.id,
        contender: contender.id,
        title: contender.title,
        variant: variants.get(contender) ?? null,
        ...time,
        iterationsPerSecond: perSecond(view.iterations, time.medianMs),
        countsSha256: view.sha256,
      };
    }),
    ceilings: (bare === null ? [] : CEILINGS).map((ceiling) => {
      const time = timing(bareTimes.get(ceiling.id) as number[]);
      return { ...ceiling, iterations, ...time, iterationsPerSecond: perSecond(iterations, time.medianMs) };
    }),
  };
}

function ratiosOf(
  views: readonly View[],
  rows: readonly KernelRow[],
  ceilings: readonly CeilingRow[],
): KernelReport["ratios"] {
  const first = views[0]?.id;
  const samplesOf = (contender: string, view = first) =>
    rows.find((row) => row.view === view && row.contender === contender)?.samplesMs;
  const ratio = (numerator: readonly number[] | undefined, denominator: readonly number[] | undefined) =>
    numerator && denominator ? ratioOf(numerator, denominator) : null;
  const exact = samplesOf("exact-simd");
  const naive = samplesOf("naive-simd");
  const widest = rows.find(({ view, contender }) => view === first && contender.startsWith("native-"));
  const exactByNative = widest?.contender === "native-scalar" ? null : ratio(exact, widest?.samplesMs);
  const naiveBySerial = ratio(naive, samplesOf("naive-serial"));
  const exactBySerial = ratio(exact, samplesOf("exact-serial"));
  return {
    naiveOfCeiling: ratio(ceilings.find(({ id }) => id === "add")?.samplesMs, naive),
    exactByNative: exactByNative && { ...exactByNative, native: (widest as KernelRow).title },
    exactByNaive: views.flatMap(({ id }) => {
      const byNaive = ratio(samplesOf("exact-simd", id), samplesOf("naive-simd", id));
      return byNaive ? [{ ...byNaive, view: id }] : [];
    }),
    threadedBySerial: naiveBySerial && exactBySerial && { naive: naiveBySerial, exact: exactBySerial },
  };
}
