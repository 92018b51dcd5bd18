// Colours for a Mandelbrot result, and PNG files of them.

import { encode } from "fast-png";

/** The colours of each palette, evenly spaced around a cycle: the last goes over into the first. */
const STOPS = {
  ocean: ["#06164d", "#0c4aa6", "#3d9be0", "#c9ecf8", "#fff6d8", "#ffbf3f", "#b9600f", "#2a1030"],
  ember: ["#12040a", "#4a0a1c", "#a81c1c", "#ee5a1a", "#ffb43c", "#fff3c4", "#c56a8a", "#4a1a50"],
  forest: ["#04201c", "#0d4f3a", "#3c8c46", "#a9c850", "#fbf6d0", "#d8b26a", "#7a6a3a", "#12383a"],
  gray: ["#101010", "#484848", "#a0a0a0", "#f4f4f4", "#a0a0a0", "#484848"],
};

export type PaletteName = keyof typeof STOPS;

export const PALETTES = Object.keys(STOPS) as readonly PaletteName[];
export const DEFAULT_PALETTE: PaletteName = "ocean";

/** The part of a `MandelbrotResult` that has a say in colours. */
export interface Escapes {
  width: number;
  height: number;
  counts: Uint32Array;
  magnitudes: Float32Array;
}

type Triple = [number, number, number];

/** Entries a cycle, so many that no step between two of them shows. */
const TABLE_SIZE = 4096;
/** Cycles that pass while a late escape becomes twice as late. */
const CYCLES_PER_DOUBLING = 0.36;
/** Iterations up to which colours change evenly rather than by doublings: most of the picture of the whole set. */
const EARLY = 8;
/** Of a pixel that does not escape. */
const INSIDE: Triple = [3, 4, 8];
/** The greatest finite f32. */
const MAX_MAGNITUDE = (2 - 2 ** -23) * 2 ** 127;

/** Smooth colours as RGB, 3 bytes a pixel, rows from the top. */
export function paint(result: Escapes, palette: PaletteName): Uint8Array {
  const table = colorTable(STOPS[palette]);
  const rgb = new Uint8Array(result.width * result.height * 3);
  for (let pixel = 0; pixel < result.width * result.height; pixel++) {
    const magnitude = result.magnitudes[pixel] as number;
    if (magnitude === 0) {
      rgb.set(INSIDE, pixel * 3);
      continue;
    }
    const entry = entryOf(escapeTime(result.counts[pixel] as number, magnitude));
    for (let channel = 0; channel < 3; channel++) rgb[pixel * 3 + channel] = table[entry * 3 + channel] as number;
  }
  return rgb;
}

/** A PNG file of `width` × `height` RGB pixels, 3 bytes each. */
export function encodePng(rgb: Uint8Array, width: number, height: number): Uint8Array {
  return encode({ width, height, data: rgb, channels: 3, depth: 8 });
}

/**
 * The escape count made continuous. `magnitude` is |z|² three iterations after the escape. Half its logarithm, ln |z|,
 * doubles with every iteration there, so the log2 of that tells by what part of an iteration the escape was early. Far
 * outside the set |z|² is Infinity: the greatest finite number stands in, so that no edge shows where that begins.
 */
function escapeTime(count: number, magnitude: number): number {
  const finite = Number.isFinite(magnitude) ? magnitude : MAX_MAGNITUDE;
  return Math.max(0, count + 4 - Math.log2(Math.log(finite) / 2));
}

/** By the logarithm, so that the colours of shallow and of deep pictures change at a similar pace. */
function entryOf(time: number): number {
  const turns = Math.log2(time / EARLY + 1) * CYCLES_PER_DOUBLING;
  return Math.floor((turns % 1) * TABLE_SIZE);
}

function colorTable(stops: readonly string[]): Uint8Array {
  const labs = stops.map((stop) => labOf(stop));
  const table = new Uint8Array(TABLE_SIZE * 3);
  for (let entry = 0; entry < TABLE_SIZE; entry++) {
    table.set(rgbOf(onCurve(labs, (entry / TABLE_SIZE) * labs.length)), entry * 3);
  }
  return table;
}

/**
 * A closed Catmull–Rom spline through the points, so that a gradient does not bend at a stop: straight lines would show
 * as bands of their own there.
 */
function onCurve(points: readonly Triple[], position: number): Triple {
  const segment = Math.floor(position);
  const s = position - segment;
  const point = (offset: number): Triple => points.at((segment + offset) % points.length) as Triple;
  const [a, b, c, d] = [point(-1), point(0), point(1), point(2)] as const;
  const at = (i: 0 | 1 | 2): number =>
    b[i] +
    (s / 2) * (c[i] - a[i] + s * (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i] + s * (3 * (b[i] - c[i]) + d[i] - a[i])));
  return [at(0), at(1), at(2)];
}

// Stops are mixed in Oklab, where equal distances look equal. Matrices: B. Ottosson, "A perceptual color space for
// image processing", 2020, https://bottosson.github.io/posts/oklab/. Transfer function: IEC 61966-2-1 (sRGB).

function labOf(hex: string): Triple {
  const [r, g, b] = [1, 3, 5].map((start) => toLinear(Number.parseInt(hex.slice(start, start + 2), 16))) as Triple;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function rgbOf([lightness, a, b]: Triple): Triple {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    fromLinear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    fromLinear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    fromLinear(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** A byte of sRGB as light, 0 to 1. */
function toLinear(byte: number): number {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** Light as a byte of sRGB. Light that no screen shows is cut. */
function fromLinear(light: number): number {
  const value = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(Math.min(1, Math.max(0, value)) * 255);
}
