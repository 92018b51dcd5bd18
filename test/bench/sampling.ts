// Samples taken in turn: whatever changes about the machine meanwhile touches all rows.

import { rotate } from "../../src/bench/scaling.ts";
import { median, medianAbsoluteDeviation } from "../../src/bench/statistics.ts";

/** One row of a table, as far as the rounds are concerned. */
export interface SampledRow {
  /** At most as many as there are rounds. Rows with fewer sit out some of the rounds. */
  samples: number;
  sample(): Promise<void>;
}

/** Goes round the rows, beginning with another one each time. */
export async function interleave(rows: readonly SampledRow[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const row of rotate(rows, round)) if (takesPart(row.samples, round, rounds)) await row.sample();
  }
}

/** Whether a row of so many samples has one in this round: they are spread evenly. */
function takesPart(samples: number, round: number, rounds: number): boolean {
  return Math.floor(((round + 1) * samples) / rounds) > Math.floor((round * samples) / rounds);
}

/** One figure by another, both taken in the same rounds. */
export interface Ratio {
  /** The median of the rounds' ratios: what drifts from round to round cancels out. */
  ratio: number;
  /** Their median absolute deviation. */
  mad: number;
}

export function ratioOf(numerators: readonly number[], denominators: readonly number[]): Ratio {
  const ratios = numerators.map((numerator, round) => numerator / (denominators[round] as number));
  return { ratio: median(ratios), mad: medianAbsoluteDeviation(ratios) };
}
