// Counts that CPython computed from the definition; golden/index.json says how, and with which version.

import { readFileSync } from "node:fs";
import type { Region } from "../src/types.ts";

export interface GoldenCase {
  name: string;
  width: number;
  height: number;
  region: Region;
  maxIterations: number;
  /** Of the counts as bytes: u32, little-endian, row-major. */
  sha256: string;
  /** The sum of the counts: what a naive loop iterates. */
  sum: number;
  /** Reads the counts. */
  counts(): Uint32Array;
}

interface IndexEntry {
  name: string;
  width: number;
  height: number;
  re_min: number;
  re_max: number;
  im_min: number;
  im_max: number;
  max_iter: number;
  sha256: string;
  sum: number;
  file: string;
}

// From the root, so that it holds in a bundle as well, which lies in build/.
const directory = new URL("../test/golden/", import.meta.url);

/** All golden cases, in the order of the index. */
export function goldenCases(): GoldenCase[] {
  const index: { configs: IndexEntry[] } = JSON.parse(readFileSync(new URL("index.json", directory), "utf8"));
  return index.configs.map((entry) => ({
    name: entry.name,
    width: entry.width,
    height: entry.height,
    region: { reMin: entry.re_min, reMax: entry.re_max, imMin: entry.im_min, imMax: entry.im_max },
    maxIterations: entry.max_iter,
    sha256: entry.sha256,
    sum: entry.sum,
    counts: () => readCounts(entry),
  }));
}

function readCounts({ file, width, height }: IndexEntry): Uint32Array {
  const bytes = readFileSync(new URL(file, directory));
  if (bytes.length !== width * height * 4) {
    throw new Error(
      `golden/${file} has ${bytes.length} bytes, but ${width} × ${height} counts take ${width * height * 4}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: width * height }, (_, pixel) => view.getUint32(pixel * 4, true));
}
