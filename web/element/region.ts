// What a picture shows, and how that moves: pure functions on regions. Sizes and places are in pixels.

import type { Region } from "../../src/types.ts";

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** A rectangle of the screen. */
export interface Place extends Point, Size {}

/** An array of pixels that was, or is to be, computed for a region. */
export interface Grid extends Size {
  region: Region;
}

/** Widest view that gestures lead to: the whole set is 3 wide. */
const MAX_SPAN = 64;

/** How far from 0 gestures can move the middle of the view. */
const MAX_CENTRE = 4;

/**
 * Units in the last place that neighbouring pixels have to be apart so that a picture is right.
 *
 * Doubles between 1 and 2 are 2⁻⁵² apart, their unit in the last place; between ½ and 1 half as much, and so on. A pixel's
 * coordinate is rounded by up to half a unit; with d units between pixels that moves it by up to 1 / 2d of a pixel. Rounding
 * goes on in the iteration. But an error made in step k grows as dzₙ/dzₖ, and the distance of two pixels as dzₙ/dc, which is
 * the sum of all dzₙ/dzₖ: so the roundings of all steps together move a pixel by 1 / d of one or so, however many steps there
 * are. Compared with 200-bit arithmetic, near -0.7436 + 0.1318i, counts are those of pixels moved by an eighth with d = 4, a
 * quarter with d = 1, a whole one with d = ½.
 */
export const SOUND_UNITS = 2;

/** Gestures do not lead further: beyond it neighbouring pixels are the same number. */
const LEAST_UNITS = 1;

function spanRe({ reMin, reMax }: Region): number {
  return reMax - reMin;
}

function spanIm({ imMin, imMax }: Region): number {
  return imMax - imMin;
}

export function sameRegion(a: Region, b: Region): boolean {
  return a.reMin === b.reMin && a.reMax === b.reMax && a.imMin === b.imMin && a.imMax === b.imMax;
}

/**
 * The least region with square pixels in which all of `region` is seen, in the middle. It is `region` itself, to the last
 * bit, if its shape is that of the picture to half a pixel.
 */
export function fitted(region: Region, { width, height }: Size): Region {
  const wide = spanRe(region) * height;
  const high = spanIm(region) * width;
  if (Math.abs(wide - high) * Math.max(width, height) <= 0.5 * Math.max(wide, high)) return region;
  if (wide < high) {
    const more = (high / height - spanRe(region)) / 2;
    return { ...region, reMin: region.reMin - more, reMax: region.reMax + more };
  }
  const more = (wide / width - spanIm(region)) / 2;
  return { ...region, imMin: region.imMin - more, imMax: region.imMax + more };
}

/** The view after the picture has been moved by so many pixels to the right, and down. */
export function moved(view: Region, { width, height }: Size, right: number, down: number): Region {
  const re = (right / width) * spanRe(view);
  const im = (down / height) * spanIm(view);
  return kept({ reMin: view.reMin - re, reMax: view.reMax - re, imMin: view.imMin - im, imMax: view.imMax - im });
}

/** The view magnified by `factor`, or as far as there is something to see, about a pixel that stays where it is. */
export function zoomed(view: Region, size: Size, factor: number, { x, y }: Point): Region {
  // A view that is already beyond a limit may stay there, but goes no further.
  const most = Math.max(1, unitsOf(view, size) / LEAST_UNITS);
  const least = Math.min(1, Math.max(spanRe(view), spanIm(view)) / MAX_SPAN);
  const shrink = 1 / Math.min(most, Math.max(least, factor));
  const re = view.reMin + (x / size.width) * spanRe(view);
  const im = view.imMin + (y / size.height) * spanIm(view);
  return kept({
    reMin: re + (view.reMin - re) * shrink,
    reMax: re + (view.reMax - re) * shrink,
    imMin: im + (view.imMin - im) * shrink,
    imMax: im + (view.imMax - im) * shrink,
  });
}

/** The view after two fingers have moved, each of which keeps its point, but for a rotation. */
export function pinched(view: Region, size: Size, from: [Point, Point], to: [Point, Point]): Region {
  const apart = ([a, b]: [Point, Point]) => Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
  const middle = ([a, b]: [Point, Point]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const before = middle(from);
  const after = middle(to);
  return moved(zoomed(view, size, apart(to) / apart(from), before), size, after.x - before.x, after.y - before.y);
}

/** `view`, moved back to where there is something to see. */
function kept(view: Region): Region {
  const back = (min: number, max: number) => {
    const centre = (min + max) / 2;
    return Math.min(MAX_CENTRE, Math.max(-MAX_CENTRE, centre)) - centre;
  };
  const re = back(view.reMin, view.reMax);
  const im = back(view.imMin, view.imMax);
  if (re === 0 && im === 0) return view;
  return { reMin: view.reMin + re, reMax: view.reMax + re, imMin: view.imMin + im, imMax: view.imMax + im };
}

/** A view between two others, as an even zoom from one to the other shows it. `share`: 0 … 1. */
export function between(from: Region, to: Region, share: number): Region {
  const ratio = spanRe(to) / spanRe(from);
  // Where the sizes differ, all moves evenly about the point that does not move, if size changes as a power.
  const weight = Math.abs(ratio - 1) < 1e-6 ? share : (ratio ** share - 1) / (ratio - 1);
  const at = (a: number, b: number) => a + (b - a) * weight;
  return {
    reMin: at(from.reMin, to.reMin),
    reMax: at(from.reMax, to.reMax),
    imMin: at(from.imMin, to.imMin),
    imMax: at(from.imMax, to.imMax),
  };
}

/** A view has next to nothing to show of another one, if it is so many times larger or smaller. */
const FAR_FACTOR = 8;

/** Whether a picture of one view is of no use for the other. */
export function isFar(a: Region, b: Region): boolean {
  const ratio = spanRe(a) / spanRe(b);
  const meet = a.reMin < b.reMax && b.reMin < a.reMax && a.imMin < b.imMax && b.imMin < a.imMax;
  return !meet || ratio > FAR_FACTOR || ratio < 1 / FAR_FACTOR;
}

/** Distance of neighbouring pixels, in units in the last place of the largest coordinate. */
export function unitsOf(view: Region, { width, height }: Size): number {
  const largest = Math.max(...Object.values(view).map(Math.abs));
  const unit = 2 ** (Math.floor(Math.log2(largest)) - 52);
  return Math.min(spanRe(view) / width, spanIm(view) / height) / unit;
}

/** How many times a view is magnified, if the whole set is 3 wide. */
export function magnificationOf(view: Region): number {
  return 3 / spanRe(view);
}

/**
 * Where a grid lies on a screen of `size` that shows `view`. A pixel is a sample, and lies around it, in all grids. Places
 * that are whole pixels but for rounding are whole pixels.
 */
export function placeOf({ region, width, height }: Grid, view: Region, size: Size): Place {
  const re = spanRe(view) / size.width;
  const im = spanIm(view) / size.height;
  const scaleX = snapped(spanRe(region) / width / re, 1e-6);
  const scaleY = snapped(spanIm(region) / height / im, 1e-6);
  return {
    x: snapped((region.reMin - view.reMin) / re - (scaleX - 1) / 2, 0.01),
    y: snapped((region.imMin - view.imMin) / im - (scaleY - 1) / 2, 0.01),
    width: width * scaleX,
    height: height * scaleY,
  };
}

function snapped(value: number, within: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) <= within ? whole : value;
}

/** Reads `reMin,reMax,imMin,imMax`; undefined if that is not what the text says. */
export function parseRegion(text: string): Region | undefined {
  const parts = text.split(",");
  const [reMin, reMax, imMin, imMax] = parts.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (parts.length !== 4) return undefined;
  return { reMin, reMax, imMin, imMax } as Region;
}

export function formatRegion({ reMin, reMax, imMin, imMax }: Region): string {
  return [reMin, reMax, imMin, imMax].join(",");
}
