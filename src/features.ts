// Feature tests: the smallest modules that use the feature, which a platform validates or does not.

/** (func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 0)))) over a shared memory of 1 to 1 page. */
const THREADS = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 13, 1, 11, 0, 65, 0, 65, 0, 254, 30,
  2, 0, 26, 11,
];

/** (func (drop (f64x2.sqrt (f64x2.splat (f64.const 0))))) */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 19, 1, 17, 0, 68, 0, 0, 0, 0, 0, 0, 0, 0, 253, 20,
  253, 239, 1, 26, 11,
];

/** Whether the platform has WebAssembly with shared memory and atomic instructions. */
export function hasThreads(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(THREADS));
}

/** Whether the platform has 128-bit SIMD. */
export function hasSimd(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(SIMD));
}
