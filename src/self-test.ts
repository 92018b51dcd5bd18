// Which build of the kernel runs, and why. There are hosts whose SIMD is wrong, so the SIMD build first has to compute
// what the scalar one does, in the host's thread and in microseconds.

import { EngineError, messageOf } from "./errors.ts";
import { hasSimd } from "./features.ts";
import type { Host } from "./host.ts";
import { instantiateKernel } from "./kernel.ts";
import { EngineMemory } from "./memory.ts";
import { SerialKernel } from "./serial.ts";
import type { Build, BuildReason, MandelbrotOptions } from "./types.ts";

/** A build of the kernel, ready to be instantiated. */
export interface ChosenKernel {
  build: Build;
  reason: BuildReason;
  module: WebAssembly.Module;
}

/** Pages of the memories that the test runs on: control words and a few pictures of a few hundred bytes. */
const PAGES = 4;

/**
 * Pixels of every kind, so that each part of the kernel has some: that escape at once and late, on their own and with the
 * whole cell; that are inside, by a closed form and by a cycle; that are on the border; widths that fill no vector.
 */
const PICTURES: MandelbrotOptions[] = [
  { width: 13, height: 3, maxIterations: 60, magnitudes: true },
  {
    width: 7,
    height: 2,
    maxIterations: 200,
    region: { reMin: -0.7445, reMax: -0.7435, imMin: 0.131, imMax: 0.132 },
    magnitudes: true,
  },
  { width: 21, height: 9, maxIterations: 40, region: { reMin: -2, reMax: -1.4, imMin: -1, imMax: -0.6 } },
  { width: 9, height: 2, maxIterations: 300, region: { reMin: -0.13, reMax: -0.11, imMin: 0.73, imMax: 0.76 } },
].flatMap((picture) => [
  { ...picture, algorithm: "naive" as const },
  { ...picture, algorithm: "exact" as const },
]);

/** What came of the test: nothing, or what is wrong. A module of a program is tested once. */
const tested = new WeakMap<WebAssembly.Module, string | undefined>();

/**
 * Loads the build that was asked for, or else the fastest one that computes rightly here.
 *
 * @throws {EngineError} (as a rejection) `E_KERNEL` if a build cannot be loaded, or the one asked for computes wrongly.
 */
export async function chooseKernel(host: Host, requested: Build | undefined): Promise<ChosenKernel> {
  if (host.givenKernel !== undefined) return givenKernel(host, host.givenKernel, requested);
  const build = requested ?? (hasSimd() ? "simd" : "scalar");
  if (build === "scalar") {
    const reason: BuildReason =
      requested === undefined
        ? { code: "simd-missing", message: "The platform has no WebAssembly SIMD." }
        : { code: "requested", message: "The caller asked for this build." };
    return { build, reason, module: await loadKernel(host, build) };
  }
  const [simd, scalar] = await Promise.all([loadKernel(host, "simd"), loadKernel(host, "scalar")]);
  if (!tested.has(simd)) tested.set(simd, selfTest(host, simd, scalar));
  const wrong = tested.get(simd);
  if (wrong === undefined) {
    const reason: BuildReason =
      requested === undefined
        ? { code: "simd-available", message: "The platform has WebAssembly SIMD, and passed its self-test." }
        : { code: "requested", message: "The caller asked for this build." };
    return { build, reason, module: simd };
  }
  if (requested !== undefined) {
    throw new EngineError(
      "E_KERNEL",
      `the simd build of the kernel failed its self-test here (${wrong}): ` +
        'leave "build" out, or ask for "scalar"; if the platform\'s SIMD is sound, install or build allcores again',
    );
  }
  const message = `The SIMD build failed its self-test here (${wrong}), so the scalar build runs.`;
  return { build: "scalar", reason: { code: "simd-wrong", message }, module: scalar };
}

/** Renders a few pixels with both builds. Returns what is wrong with the SIMD build, or undefined. Blocks. */
function selfTest(host: Host, simd: WebAssembly.Module, scalar: WebAssembly.Module): string | undefined {
  const right = kernelOn(host, scalar);
  try {
    const kernel = kernelOn(host, simd);
    for (const picture of PICTURES) {
      const expected = right.mandelbrot(picture);
      const got = kernel.mandelbrot(picture);
      for (const what of ["counts", "magnitudes"] as const) {
        const pixel = difference(expected[what] ?? [], got[what] ?? []);
        if (pixel !== undefined) return `its ${what} differ from the scalar build's at ${picture.algorithm} ${pixel}`;
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof EngineError) throw error; // not its SIMD's fault
    return `it fails: ${messageOf(error)}`;
  }
}

function kernelOn(host: Host, module: WebAssembly.Module): SerialKernel {
  const instantiate = (memory: WebAssembly.Memory) => instantiateKernel(host, module, memory);
  return new SerialKernel(instantiate, host.now, new EngineMemory(true, PAGES));
}

/** The first pixel at which two pictures differ, and how. */
function difference(expected: ArrayLike<number>, got: ArrayLike<number>): string | undefined {
  for (let pixel = 0; pixel < expected.length; pixel++) {
    if (!Object.is(expected[pixel], got[pixel])) return `pixel ${pixel}: ${got[pixel]} instead of ${expected[pixel]}`;
  }
  return undefined;
}

/** The kernel that the caller gave, whose build only itself can tell. */
async function givenKernel(
  host: Host,
  load: () => Promise<WebAssembly.Module>,
  requested: Build | undefined,
): Promise<ChosenKernel> {
  const module = await load().catch((error) => notLoaded("the kernel that was given", error, "give another one"));
  const memory = new EngineMemory(true, PAGES).memory;
  let build: Build;
  try {
    build = instantiateKernel(host, module, memory).SIMD.value === 1 ? "simd" : "scalar";
  } catch (error) {
    notLoaded("the kernel that was given", error, "give the package's own, or one that was built from it");
  }
  if (requested !== undefined && requested !== build) {
    throw new EngineError(
      "E_KERNEL",
      `the kernel that was given is the ${build} build, but build: "${requested}" asks for the other`,
    );
  }
  return { build, reason: { code: "given", message: "The caller gave this kernel." }, module };
}

async function loadKernel(host: Host, build: Build): Promise<WebAssembly.Module> {
  return host
    .kernel(build)
    .catch((error) => notLoaded(`the ${build} build of the kernel`, error, "install or build allcores again"));
}

/** Throws what a host reports: either it says itself what is the matter, or this does. */
function notLoaded(what: string, error: unknown, remedy: string): never {
  if (error instanceof EngineError) throw error;
  throw new EngineError("E_KERNEL", `${what} could not be loaded (${messageOf(error)}): ${remedy}`, { cause: error });
}
