// The vectors that are published are those that the definition and CPython's counts make. After a change of the cases:
// npx vitest run test/conformance-vectors.test.ts --update

import { expect, test } from "vitest";
import { ABI_VERSION, MAX_PAGES } from "../assembly/layout.ts";
import type { Case } from "../node/conformance/kit.ts";
import { conformanceCases } from "./conformance-vectors.ts";

const cases = conformanceCases();

test("the published vectors are what the cases make", async () => {
  const lines = cases.map((each) => JSON.stringify(each)).join(",\n");
  const text = `{"abiVersion":${ABI_VERSION},"cases":[\n${lines}\n]}\n`;
  await expect(text).toMatchFileSnapshot("../ports/conformance/vectors.json");
});

test("no two cases have the same name and threads", () => {
  const names = cases.map(({ name, line }) => `${name}, ${line.JOB_THREADS} threads`);
  expect(new Set(names).size).toBe(names.length);
});

test("every line is flat, all numbers, and fits any memory of WebAssembly", () => {
  for (const { line } of cases) {
    expect(Object.values(line).every(Number.isFinite)).toBe(true);
    expect(line.pages).toBeLessThanOrEqual(MAX_PAGES);
  }
});

test.each<[what: string, is: (each: Case) => boolean]>([
  [
    "1, 2, 4 and 8 threads of the reference picture",
    ({ name, line }) => name.startsWith("seed1000") && [1, 2, 4, 8].includes(line.JOB_THREADS),
  ],
  [
    "naive and exact",
    ({ name }) => name.startsWith("whole256_it100, naive") || name.startsWith("whole256_it100, exact"),
  ],
  ["fewer chunks than threads", ({ line }) => line.JOB_CHUNKS < line.JOB_THREADS],
  [
    "a count of exactly a million under the lock",
    ({ line, expected }) => line.COUNT_GUARD === 2 && expected.count === 1_000_000,
  ],
  ["a count that needs more than 32 bits", ({ expected }) => (expected.count ?? 0) > 2 ** 32],
  ["threads that sleep before their job", ({ line }) => line.park > 0],
  ["addresses above 2³¹", ({ line }) => line.JOB_RECORDS > 2 ** 31],
  ["magnitudes", ({ expected }) => expected.magnitudesSha256 !== undefined],
])("there are cases of %s", (_, is) => {
  expect(cases.some(is)).toBe(true);
});
