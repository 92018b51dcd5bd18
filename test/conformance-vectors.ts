// Makes the conformance kit's cases: what a host has to compute comes from CPython's counts and from the definition, never from a kernel.

import { countLine, type PictureJob, pictureLine } from "../node/conformance/job.ts";
import type { Case } from "../node/conformance/kit.ts";
import { sha256 } from "../node/hash.ts";
import type { Picture } from "../src/bench/report.ts";
import type { Algorithm, Guard, Schedule } from "../src/types.ts";
import { goldenCases } from "./golden.ts";
import { oracleCounts, oracleMagnitudes } from "./oracle.ts";

const THREADS = [1, 2, 4, 8];

/** A second and more for the slowest start of eight threads. */
const BARRIER_MS = 5_000;
/** For every thread to fall asleep. */
const PARK_MS = 100;
const HIGH = 2 ** 31;

/** All cases, in the order in which they run: what tells most is first. */
export function conformanceCases(): Case[] {
  return [...selfTests(), ...goldenPictures(), ...chunkings(), ...sleepers(), ...counters(), ...highAddresses()];
}

interface Expectation {
  countsSha256: string;
  sum: number;
}

type Job = Omit<PictureJob, keyof Picture | "algorithm" | "schedule"> & { algorithm?: Algorithm; schedule?: Schedule };

function pictureCase(name: string, picture: Picture, known: Expectation | undefined, job: Job): Case {
  const { algorithm = "exact", schedule = "dynamic" } = job;
  const counts = known === undefined ? oracleCounts(picture) : undefined;
  return {
    name: `${name}, ${algorithm}, ${schedule}`,
    line: pictureLine({ ...picture, ...job, algorithm, schedule }),
    expected: {
      countsSha256: known?.countsSha256 ?? sha256(counts as Uint32Array),
      ...(job.magnitudes && { magnitudesSha256: sha256(new Uint32Array(oracleMagnitudes(picture).buffer)) }),
      // A naive loop iterates as often as it counts.
      ...(algorithm === "naive" && {
        iterations: known?.sum ?? (counts as Uint32Array).reduce((sum, n) => sum + n, 0),
      }),
    },
  };
}

/** Pixels of every kind, each with both algorithms, on one thread: what tells whether an engine's arithmetic is right. */
function selfTests(): Case[] {
  const pictures: Picture[] = [
    { width: 13, height: 3, maxIterations: 60, region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 } },
    { width: 7, height: 2, maxIterations: 200, region: { reMin: -0.7445, reMax: -0.7435, imMin: 0.131, imMax: 0.132 } },
    { width: 21, height: 9, maxIterations: 40, region: { reMin: -2, reMax: -1.4, imMin: -1, imMax: -0.6 } },
    { width: 9, height: 2, maxIterations: 300, region: { reMin: -0.13, reMax: -0.11, imMin: 0.73, imMax: 0.76 } },
  ];
  return pictures.flatMap((picture, index) =>
    (["naive", "exact"] as const).map((algorithm) =>
      pictureCase(`self-test ${index + 1}`, picture, undefined, { threads: 1, algorithm, magnitudes: true }),
    ),
  );
}

/** What CPython computed: with every iteration where they are few enough for an interpreter, with shortcuts all. */
function goldenPictures(): Case[] {
  const most = { naive: 10e6, exact: Number.POSITIVE_INFINITY };
  return goldenCases().flatMap((golden) =>
    (["naive", "exact"] as const)
      .filter((algorithm) => golden.sum <= most[algorithm])
      .flatMap((algorithm) =>
        THREADS.map((threads) => {
          const known = { countsSha256: golden.sha256, sum: golden.sum };
          return pictureCase(golden.name, pictureOf(golden), known, { threads, algorithm });
        }),
      ),
  );
}

function golden(name: string): { picture: Picture; known: Expectation } {
  const found = goldenCases().find((golden) => golden.name === name);
  if (found === undefined) throw new Error(`there is no golden case ${name}`);
  return { picture: pictureOf(found), known: { countsSha256: found.sha256, sum: found.sum } };
}

function pictureOf({ width, height, region, maxIterations }: Picture): Picture {
  return { width, height, region, maxIterations };
}

/** Every way to divide a picture: bands, tiles that do not fit, fewer chunks than threads, more threads than processors. */
function chunkings(): Case[] {
  const { picture, known } = golden("whole97x61_it255");
  const low = { ...picture, height: 3 };
  const pixel = { ...picture, width: 1, height: 1 };
  return [
    ...[1, 2, 3, 4, 5, 6, 7, 8].flatMap((threads) =>
      (["naive", "exact"] as const).map((algorithm) =>
        pictureCase("bands", picture, known, { threads, algorithm, schedule: "static", magnitudes: true }),
      ),
    ),
    ...THREADS.map((threads) =>
      pictureCase("tiles of 10×7", picture, known, { threads, tileWidth: 10, tileHeight: 7, magnitudes: true }),
    ),
    ...[2, 8].map((threads) =>
      pictureCase("a chunk a pixel", low, undefined, { threads, tileWidth: 1, tileHeight: 1 }),
    ),
    ...[2, 8].map((threads) => pictureCase("one chunk", picture, known, { threads, tileWidth: 97, tileHeight: 61 })),
    ...[2, 8].map((threads) => pictureCase("one pixel", pixel, undefined, { threads })),
    pictureCase("more threads than rows", low, undefined, { threads: 8, schedule: "static" }),
    pictureCase("32 threads", picture, known, { threads: 32, algorithm: "naive", tileWidth: 97, tileHeight: 1 }),
  ];
}

/** Threads that are there, and asleep, before their job is. */
function sleepers(): Case[] {
  const { picture, known } = golden("whole97x61_it255");
  return THREADS.map((threads) => pictureCase("parked threads", picture, known, { threads, park: PARK_MS }));
}

/** The count is exact under every guard that guards it, across 2³², and with threads that begin at the same time. */
function counters(): Case[] {
  const total = 1_000_000;
  const across = 2 ** 32 - total / 2;
  const each = (guard: Guard, threads: number, start = 0): Case => ({
    name: start === 0 ? `count, ${guard}` : `count across 2³², ${guard}`,
    line: countLine({ threads, increments: total / threads, guard, start, barrierMs: BARRIER_MS }),
    expected: { count: start + total, iterations: total },
  });
  return [
    ...THREADS.map((threads) => each("lock", threads)),
    ...THREADS.map((threads) => each("atomic", threads)),
    each("lock", 10), // the counter of the Python benchmark
    each("none", 1),
    ...[2, 8].flatMap((threads) => [each("lock", threads, across), each("atomic", threads, across)]),
  ];
}

/** Addresses that are negative as i32. Some engines' memories end before. */
function highAddresses(): Case[] {
  const { picture, known } = golden("whole97x61_it255");
  return [
    {
      ...pictureCase("addresses above 2³¹", picture, known, { threads: 2, magnitudes: true, base: HIGH }),
      optional: true,
    },
  ];
}
