// Colours for a Mandelbrot result: what a picture of the command line and one of a page have in common.

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
  counts: Uint32Array;
  magnitudes: Float32Array;
}

type Triple = [number, number, number];

/** Colours a cycle, so many that no step between two of them shows. */
const CYCLE = 4096;
/** Cycles that pass while a late escape becomes twice as late. */
const CYCLES_PER_DOUBLING = 0.36;
/** Iterations up to which colours change evenly rather than by doublings: most of the picture of the whole set. */
const EARLY = 8;
/** Of a pixel that does not escape. */
const INSIDE: Triple = [3, 4, 8];

// A pixel has no logarithm to spare. Both tables are indexed by the upper bits of a float, exponent and some of the
// mantissa, which are a logarithm by themselves, so that their steps are as fine everywhere; they stay below a step of
// the cycle.

/** Bits of an f32 below those that make an index. 8 bits of mantissa, and 11, are left. */
const MAGNITUDE_SHIFT = 15;
const TIME_SHIFT = 12;
/** The least magnitude, as |z| > 2 where it is taken. */
const FIRST_MAGNITUDE = bitsOf(4) >>> MAGNITUDE_SHIFT;
/** Escape times are looked up as 1 + time / EARLY. */
const FIRST_TIME = bitsOf(1) >>> TIME_SHIFT;
/** Counts are i32 in the kernel, and below them the correction is less than 4. */
const LAST_TIME = bitsOf(1 + (2 ** 31 + 4) / EARLY) >>> TIME_SHIFT;

/** By magnitude: what it adds to a count. Made when first needed, as the colours are. */
let corrections: Float32Array | undefined;
/** By escape time: RGBA, as a little-endian word. */
const colors = new Map<PaletteName, Uint32Array>();

/**
 * Colours the pixels `first` … `end` - 1 of a result, smoothly, into the same number of pixels of `target`, from its begin:
 * RGBA, a byte each, as `ImageData` has them.
 */
export function paint(
  { counts, magnitudes }: Escapes,
  palette: PaletteName,
  target: Uint32Array,
  first: number,
  end: number,
): void {
  corrections ??= correctionTable();
  const correction = corrections;
  const color = colorsOf(palette);
  const inside = wordOf(INSIDE);
  const magnitudeBits = new Uint32Array(magnitudes.buffer, magnitudes.byteOffset, magnitudes.length);
  const time = new Float32Array(1);
  const timeBits = new Uint32Array(time.buffer);
  for (let pixel = first; pixel < end; pixel++) {
    const bits = magnitudeBits[pixel] as number;
    if (bits === 0) {
      target[pixel - first] = inside;
      continue;
    }
    const early = correction[(bits >>> MAGNITUDE_SHIFT) - FIRST_MAGNITUDE] as number;
    time[0] = 1 + ((counts[pixel] as number) + early) / EARLY;
    const index = ((timeBits[0] as number) >>> TIME_SHIFT) - FIRST_TIME;
    target[pixel - first] = color[index < 0 ? 0 : index] as number;
  }
}

/** The bit pattern of a number as an f32. */
function bitsOf(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] as number;
}

/** The f32 in the middle of those whose upper bits are `index`; beyond the finite ones, the greatest. */
function middleOf(index: number, shift: number): number {
  const value = new Float32Array(new Uint32Array([(index << shift) | (1 << (shift - 1))]).buffer)[0] as number;
  return Number.isFinite(value) ? value : (2 - 2 ** -23) * 2 ** 127;
}

/**
 * What makes the escape count continuous. A magnitude is |z|² three iterations after the escape. Half its logarithm, ln |z|,
 * doubles with every iteration there, so the log2 of that tells by what part of an iteration the escape was early. Far
 * outside the set |z|² is Infinity: the greatest finite number stands in, so that no edge shows where that begins.
 */
function correctionTable(): Float32Array {
  const last = 0xffffffff >>> (MAGNITUDE_SHIFT + 1); // NaN with all bits set, but for the sign
  return Float32Array.from(
    { length: last - FIRST_MAGNITUDE + 1 },
    (_, index) => 4 - Math.log2(Math.log(middleOf(FIRST_MAGNITUDE + index, MAGNITUDE_SHIFT)) / 2),
  );
}

/** By the logarithm, so that the colours of shallow and of deep pictures change at a similar pace. */
function colorsOf(palette: PaletteName): Uint32Array {
  const known = colors.get(palette);
  if (known !== undefined) return known;
  const cycle = cycleOf(STOPS[palette]);
  const table = Uint32Array.from({ length: LAST_TIME - FIRST_TIME + 1 }, (_, index) => {
    const turns = Math.log2(middleOf(FIRST_TIME + index, TIME_SHIFT)) * CYCLES_PER_DOUBLING;
    return cycle[Math.floor((turns % 1) * CYCLE)] as number;
  });
  colors.set(palette, table);
  return table;
}

function cycleOf(stops: readonly string[]): Uint32Array {
  const labs = stops.map((stop) => labOf(stop));
  return Uint32Array.from({ length: CYCLE }, (_, step) => wordOf(rgbOf(onCurve(labs, (step / CYCLE) * labs.length))));
}

function wordOf([red, green, blue]: Triple): number {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
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
