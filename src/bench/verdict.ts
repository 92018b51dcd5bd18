// One sentence about how it scales, which names what limits it.

/** What keeps more threads from being faster. `noise`: the samples do not tell. */
export type Limiter = "none" | "cores" | "quota" | "schedule" | "hardware" | "overhead" | "noise" | "throttling";

/** What was measured with one number of threads. */
export interface VerdictRow {
  threads: number;
  medianMs: number;
  /** The raw median absolute deviation. */
  madMs: number;
  speedup: number;
  /** speedup / threads. */
  efficiency: number;
  /** The most speedup that the schedule allows. */
  ceiling: number;
  /** More threads than usable cores: says nothing about scaling. */
  oversubscribed: boolean;
  /** Processor time that the program got, as a share of the time that its workers were in chunks. `null`: unknown. */
  cpuShare: number | null;
  /** What a thread computes in a millisecond of a chunk, relative to one thread alone. */
  threadSpeed: number;
}

export interface VerdictInput {
  rows: readonly VerdictRow[];
  /** Cores that the process may use. */
  usableCores: number;
  /** The container's CPU quota in cores, such as 1.5. `null`: none, or unknown. */
  quota: number | null;
  /** How much slower one worker is than the best serial build, as a fraction: 0.01 = 1 %. `null`: not measured. */
  costOfThreads: number | null;
  /** Periods of the run in which the container's quota was used up. */
  throttledPeriods: number;
  /** Of the last minute before the run. `null`: unknown. */
  loadAverage: number | null;
  /** Samples of each row. */
  samples: number;
}

export interface Verdict {
  text: string;
  limiter: Limiter;
}

/** From this efficiency on, we say that it scales. */
const SCALES = 0.9;
/** An efficiency this close to the schedule's own is the schedule's doing. */
const NEAR_CEILING = 0.05;
/** A median absolute deviation above this fraction of the median leaves the result open. */
const NOISY = 0.1;
/** An efficiency above this did not happen: something slowed the row of one thread. */
const IMPOSSIBLE = 1.05;
/** With less of the processors than this while they compute, threads were not what was measured. */
const LEAST_CPU_SHARE = 0.9;
/** With fewer samples than this the deviation means nothing: that of one is 0. */
const FEWEST_SAMPLES = 3;

/** Judges the row with the most threads that have a core each. */
export function verdict(input: VerdictInput): Verdict {
  if (input.usableCores === 1) return oneCore(input);
  const best = bestRow(input.rows);
  if (best === undefined) return notMeasured(input);
  if (isNoisy(input, best)) return noisy(input);
  if (best.efficiency > IMPOSSIBLE) return impossible(best);
  if (best.efficiency >= SCALES) return scales(input, best);
  if (input.throttledPeriods > 0) return throttled(input, best);
  if (best.cpuShare !== null && best.cpuShare < LEAST_CPU_SHARE) return crowded(best, best.cpuShare);
  const allowed = best.ceiling / best.threads;
  if (allowed < SCALES && best.efficiency >= allowed - NEAR_CEILING) return schedule(best);
  // Slower cores explain most of the loss.
  if (1 - best.threadSpeed >= (1 - best.efficiency) / 2) return hardware(best);
  return overhead(input, best);
}

/** `undefined` if no row has both several threads and a core for each. */
function bestRow(rows: readonly VerdictRow[]): VerdictRow | undefined {
  const candidates = rows.filter((row) => row.threads > 1 && !row.oversubscribed);
  return candidates.sort((a, b) => b.threads - a.threads)[0];
}

function oneCore(input: VerdictInput): Verdict {
  const limiter = coreLimiter(input);
  return {
    limiter,
    text: `Threads cannot pay on one usable core; the limiter is ${nameOf(limiter, input)}.`,
  };
}

function notMeasured({ usableCores }: VerdictInput): Verdict {
  return {
    limiter: "none",
    text: `Nothing is known about scaling; measure 1 and ${usableCores} threads.`,
  };
}

/** The best row and the row of one thread matter: a speedup is a quotient of such two. */
function isNoisy({ rows, samples }: VerdictInput, best: VerdictRow): boolean {
  if (samples < FEWEST_SAMPLES) return true;
  return rows.some((row) => (row.threads === 1 || row === best) && row.madMs / row.medianMs > NOISY);
}

function noisy({ samples, loadAverage, usableCores }: VerdictInput): Verdict {
  if (samples < FEWEST_SAMPLES) {
    const taken = samples === 1 ? "one sample a row tells" : `${samples} samples a row tell`;
    return { limiter: "noise", text: `Inconclusive: ${taken} nothing about noise; take ${FEWEST_SAMPLES} or more.` };
  }
  const isBusy = loadAverage !== null && loadAverage > usableCores / 2;
  const cause = isBusy ? `, and the load average was ${loadAverage.toFixed(1)} when it began` : "";
  return {
    limiter: "noise",
    text: `Inconclusive: the times vary by more than ${percent(NOISY)}${cause}; measure again on a quiet machine.`,
  };
}

function crowded(best: VerdictRow, cpuShare: number): Verdict {
  const got = `${best.threads} threads got ${percent(cpuShare)} of ${best.threads} cores`;
  return {
    limiter: "noise",
    text: `Inconclusive: ${got}, because other programs ran there; measure again on a quiet machine.`,
  };
}

function impossible(best: VerdictRow): Verdict {
  const found = `${best.threads} threads at ${percent(best.efficiency)} efficiency cannot be`;
  return {
    limiter: "noise",
    text: `Inconclusive: ${found}, so something slowed the row of one thread; measure again on a quiet machine.`,
  };
}

function scales(input: VerdictInput, best: VerdictRow): Verdict {
  const { threads, efficiency } = best;
  const fact = `Scales to ${threads} of ${input.usableCores} usable cores at ${percent(efficiency)} efficiency`;
  if (threads < input.usableCores) {
    return { limiter: "none", text: `${fact}; no limit was met, so more threads are worth a try.` };
  }
  if (!input.rows.some((row) => row.oversubscribed)) return { limiter: "none", text: `${fact}; no limit was met.` };
  const limiter = coreLimiter(input);
  return { limiter, text: `${fact}; the limiter is ${nameOf(limiter, input)}.` };
}

function throttled(input: VerdictInput, best: VerdictRow): Verdict {
  const limiter = input.quota === null ? "throttling" : "quota";
  const periods = input.throttledPeriods === 1 ? "one period" : `${input.throttledPeriods} periods`;
  return {
    limiter,
    text: `${reaches(best)}, but was throttled in ${periods}; the limiter is ${nameOf(limiter, input)}.`,
  };
}

function schedule(best: VerdictRow): Verdict {
  const fact = `${reaches(best)}, near the ${best.ceiling.toFixed(2)} that the schedule allows`;
  return { limiter: "schedule", text: `${fact}; the limiter is the schedule: try dynamic, or smaller chunks.` };
}

function hardware(best: VerdictRow): Verdict {
  const slower = `${best.threads} threads compute at ${percent(best.threadSpeed)} of the speed of one alone`;
  return {
    limiter: "hardware",
    text: `${reaches(best)}: ${slower}; the limiter is what the cores share, such as power, a hypervisor or the core itself.`,
  };
}

function overhead({ costOfThreads }: VerdictInput, best: VerdictRow): Verdict {
  const hasCost = costOfThreads !== null && costOfThreads >= 0.05;
  const cost = hasCost ? ` (one worker alone is ${percent(costOfThreads)} slower than the serial build)` : "";
  const allowed = `where the schedule allows ${percent(best.ceiling / best.threads)}`;
  return {
    limiter: "overhead",
    text: `${reaches(best)}, ${allowed}; the limiter is overhead${cost}: try a bigger job, or physical cores only.`,
  };
}

/**
 * Whether a quota or the machine sets the number of cores. A quota with a fraction, such as 2.5 on 2 usable cores, may
 * be above what the machine gives; it shows by throttling.
 */
function coreLimiter({ quota, usableCores, throttledPeriods }: VerdictInput): "cores" | "quota" {
  return quota !== null && (quota <= usableCores || throttledPeriods > 0) ? "quota" : "cores";
}

function nameOf(limiter: "cores" | "quota" | "throttling", { quota }: VerdictInput): string {
  if (limiter === "cores") return "the number of cores";
  if (limiter === "throttling") return "a CPU quota that is not visible from here";
  return `the CPU quota of ${quota === 1 ? "1 core" : `${Number(quota?.toFixed(2))} cores`}`;
}

function reaches({ speedup, threads, efficiency }: VerdictRow): string {
  return `Reaches a speedup of ${speedup.toFixed(2)} with ${threads} threads, ${percent(efficiency)} efficiency`;
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}
