// How a picture gets finer. A pass computes every `step`-th pixel of each direction; the last one, of step 1, is one job over
// the whole region.
//
// Why one job: a row's coordinate is imMin + (y / height) · (imMax - imMin), so a band that is a picture of its own has
// coordinates that differ in their last bits, and counts that differ where the set is fine. The picture that stays is to be
// the engine's, bit for bit. The passes before it are looked at for some hundred milliseconds, and may be cut into bands,
// which are computed from the middle outward.

import type { Region } from "../../src/types.ts";
import type { Grid, Size } from "./region.ts";

/** Coarsest first. */
const STEPS = [16, 8, 4, 2, 1] as const;

export type Step = (typeof STEPS)[number];

/** Milliseconds that a first look at a picture may take: it is to be there with the next frame. */
const FIRST_MS = 12;

/** A picture that takes no longer is computed at once: what came before it would be seen for a frame. */
const WHOLE_MS = 24;

/** With a coarse picture on the screen, the whole one may take so long without another step between. */
const WAIT_MS = 100;

/** The longest that a pass of step 2 may take without one of step 4 before it. */
const HALF_MS = 100;

/** Milliseconds that a band of a pass takes, and most bands. */
const BAND_MS = 50;
const MAX_BANDS = 24;

/** The first pass of a picture which will take about `wholeMs` altogether; undefined: nothing is known of that. */
export function firstStep(wholeMs: number | undefined): Step {
  if (wholeMs === undefined) return 8;
  if (wholeMs <= WHOLE_MS) return 1;
  return STEPS.findLast((step) => step > 1 && wholeMs / step ** 2 <= FIRST_MS) ?? STEPS[0];
}

/** The pass after one of `step` > 1. */
export function nextStep(step: Step, wholeMs: number): Step {
  if (wholeMs <= WAIT_MS || step <= 2) return 1;
  return step > 4 && wholeMs / 4 > HALF_MS ? 4 : 2;
}

/** The pixels of a pass. Each is computed where the middle of those pixels is that it stands for. */
export function gridOf(view: Region, { width, height }: Size, step: Step): Grid {
  if (step === 1) return { region: view, width, height };
  const re = (view.reMax - view.reMin) / width;
  const im = (view.imMax - view.imMin) / height;
  const columns = Math.ceil(width / step);
  const rows = Math.ceil(height / step);
  const reMin = view.reMin + ((step - 1) / 2) * re;
  const imMin = view.imMin + ((step - 1) / 2) * im;
  return {
    region: { reMin, reMax: reMin + columns * step * re, imMin, imMax: imMin + rows * step * im },
    width: columns,
    height: rows,
  };
}

/** Rows `first` … `end` - 1. */
export interface Band {
  first: number;
  end: number;
}

/** The bands of a pass that will take about `ms`: the middle one first, then outward, above and below in turn. */
export function bandsOf(rows: number, ms: number): Band[] {
  const count = Math.max(1, Math.min(MAX_BANDS, Math.floor(rows / 8), Math.round(ms / BAND_MS)));
  return fromMiddle(count).map((band) => ({
    first: Math.floor((band * rows) / count),
    end: Math.floor(((band + 1) * rows) / count),
  }));
}

/** 0 … `count` - 1, beginning in the middle. */
export function fromMiddle(count: number): number[] {
  const middle = (count - 1) / 2;
  return Array.from({ length: count }, (_, index) => index).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
}

/** A band of a grid, as a grid of its own. */
export function bandGrid({ region, width, height }: Grid, { first, end }: Band): Grid {
  if (first === 0 && end === height) return { region, width, height };
  const im = (region.imMax - region.imMin) / height;
  return {
    region: { ...region, imMin: region.imMin + first * im, imMax: region.imMin + end * im },
    width,
    height: end - first,
  };
}
