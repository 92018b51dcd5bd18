// PNG files of a Mandelbrot result.

import { encode } from "fast-png";
import { type Escapes, type PaletteName, paint as paintWords } from "../../src/colors.ts";

/** Smooth colours as RGB, 3 bytes a pixel, rows from the top. */
export function paint(result: Escapes, palette: PaletteName): Uint8Array {
  const pixels = result.counts.length;
  const words = new Uint32Array(pixels);
  paintWords(result, palette, words, 0, pixels);
  const rgba = new Uint8Array(words.buffer);
  const rgb = new Uint8Array(3 * pixels);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = rgba[from] as number;
    rgb[to + 1] = rgba[from + 1] as number;
    rgb[to + 2] = rgba[from + 2] as number;
  }
  return rgb;
}

/** A PNG file of `width` × `height` RGB pixels, 3 bytes each. */
export function encodePng(rgb: Uint8Array, width: number, height: number): Uint8Array {
  return encode({ width, height, data: rgb, channels: 3, depth: 8 });
}
