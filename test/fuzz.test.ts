// Random tiles, every build and algorithm against the oracle. A short run is part of `npm test`. For a long one set
//
//   ALLCORES_FUZZ_TILES   how many tiles; default 2000
//   ALLCORES_FUZZ_SEED    where the random numbers begin, to repeat a run; default: the time

import fc from "fast-check";
import { expect, test } from "vitest";
import { jobs, regions, regionsAtTheTip } from "./arbitrary.ts";
import { complaints, expectedOf } from "./contract.ts";
import { BUILDS, loadKernel } from "./kernel.ts";
import { integer } from "./variables.ts";

const tiles = integer("ALLCORES_FUZZ_TILES", 2000);
const seed = integer("ALLCORES_FUZZ_SEED", Date.now() % 2 ** 31);

const PROGRESS_MS = 10_000;

test(`${tiles} random tiles are what the oracle computes`, { timeout: 0 }, async () => {
  const kernels = BUILDS.map((build) => loadKernel(build, 8));
  const begin = performance.now();
  let nextProgress = begin + PROGRESS_MS;
  let done = 0;
  let iterations = 0;
  const job = fc.oneof(
    { weight: 3, arbitrary: jobs(regions(), 3000, 100_000) },
    { weight: 1, arbitrary: jobs(regionsAtTheTip(), 5000, 100_000) },
  );
  await fc.assert(
    fc.asyncProperty(job, async (job) => {
      const expected = expectedOf(job);
      for (const kernel of kernels) {
        for (const algorithm of ["naive", "exact"] as const) {
          expect(complaints(kernel, { ...job, algorithm }, expected)).toEqual([]);
        }
      }
      done++;
      iterations += expected.counts.reduce((sum, count) => sum + count, 0);
      if (performance.now() > nextProgress) {
        nextProgress += PROGRESS_MS;
        console.log(`fuzz: ${done} of ${tiles} tiles, seed ${seed}`);
        await new Promise(setImmediate); // so that it appears now
      }
    }),
    { numRuns: tiles, seed }, // a failure's message has the seed, too
  );
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`fuzz: ${done} tiles, ${iterations} iterations each way, all right; seed ${seed}, ${seconds} s`);
});
