// The benchmark against what else there is, run as a whole with little work: everything that it compares runs, and agrees.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { sha256 } from "../node/hash.ts";
import { BandKernel, place, tasksOf } from "./bench/alternatives/bands.ts";
import type { PeersReport } from "./bench/peers.ts";
import { LARGE, pictureOf, VIEWS, type View, viewOf } from "./bench/views.ts";
import { type GoldenCase, goldenCases } from "./golden.ts";
import { BUILDS, KERNEL_FILES, kernelBytes } from "./kernel.ts";
import { oracleCounts } from "./oracle.ts";
import { type Outcome, runProgram, withFolder } from "./program.ts";

const program = fileURLToPath(new URL("../build/bench/peers.js", import.meta.url));
const dist = fileURLToPath(new URL("../dist", import.meta.url));

const CONTENDERS = [
  ...["exact-simd", "naive-simd", "exact-serial", "naive-serial", "exact-scalar", "naive-scalar"],
  ...["assemblyscript", "typescript", "native-512", "native-256", "native-128", "native-scalar"],
];
const CEILINGS = ["add", "mixed"];
const ALTERNATIVES = ["shared", "view", "isolated", "piscina", "tinypool", "workerpool", "processes"];

/** Runs the benchmark with as little work as it can do, and reads its JSON, if there is one. */
function quick(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome & { report: PeersReport }> {
  return withFolder(async (path) => {
    const json = path("report.json");
    const outcome = await runProgram(program, [...args, "--quick", "--samples", "2", "--json", json], { env });
    const text = readFileSync(json, "utf8");
    return { ...outcome, report: text === "" ? null : JSON.parse(text) };
  });
}

/** What has a row, and what was skipped, with its reason. */
function covered(rows: { id: string }[], skipped: { id: string; reason: string }[]): string[] {
  for (const { reason } of skipped) expect(reason).not.toBe("");
  return [...new Set([...rows, ...skipped].map(({ id }) => id))].sort();
}

describe("npm run bench:peers", () => {
  test("measures everything that it compares, or says why not, and all counts are those of the definition", async () => {
    const { status, stderr, stdout, report } = await quick([]);
    expect(status, stderr).toBe(0);
    const { kernel, threads, dispatch, targets } = report;

    for (const view of ["exterior", "tiny"]) {
      const rows = kernel?.rows.filter((row) => row.view === view).map((row) => ({ ...row, id: row.contender })) ?? [];
      const ceilings = view === "exterior" ? (kernel?.ceilings ?? []) : CEILINGS.map((id) => ({ id }));
      expect(covered([...rows, ...ceilings], kernel?.skipped ?? [])).toEqual([...CONTENDERS, ...CEILINGS].sort());
      for (const row of rows) expect([row.id, row.countsSha256]).toEqual([row.id, viewOf(view).sha256]);
    }
    for (const count of [1, 2]) {
      for (const algorithm of ["naive", "exact"]) {
        const rows = threads?.rows.filter((row) => row.threads === count && row.algorithm === algorithm) ?? [];
        const alternatives = rows.map(({ alternative }) => ({ id: alternative }));
        expect(covered(alternatives, threads?.skipped ?? [])).toEqual([...ALTERNATIVES].sort());
        for (const row of rows) expect(row.countsSha256).toBe(viewOf("exterior").sha256);
      }
    }
    expect(threads?.efficiency.map(({ view }) => view)).toEqual(["exterior", "tiny"]);
    expect(dispatch?.rows.map(({ alternative }) => alternative)).toEqual([
      ...["shared", "messages", "piscina", "tinypool", "workerpool"],
    ]);
    expect(dispatch?.cold.map((row) => row.threads)).toEqual([1, 2]);

    // Every sample is there, for whoever computes anew.
    const timings = [...(kernel?.rows ?? []), ...(kernel?.ceilings ?? []), ...(threads?.rows ?? [])];
    for (const { samplesMs, medianMs } of timings) {
      expect(samplesMs).toHaveLength(2);
      expect(Math.min(...samplesMs)).toBeGreaterThan(0);
      expect(medianMs).toBe(((samplesMs[0] as number) + (samplesMs[1] as number)) / 2);
    }
    expect(report.schema).toBe("allcores.peers/1");
    expect(report.environment.cpu).not.toBe("");
    for (const { title } of targets) expect(stdout).toContain(title);
    expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
  }, 180_000);

  test.each(["kernel", "threads"])(
    "a wrong kernel fails the part %s, and the error names who was wrong",
    async (part) => {
      await withFolder(async (path) => {
        for (const build of BUILDS) {
          const name = KERNEL_FILES[build];
          cpSync(join(dist, name), path(name));
          writeFileSync(path(name), withLimitThree(readFileSync(path(name))));
        }
        const { status, stderr } = await quick([part, "--kernels", path("")]);
        expect(status).toBe(1);
        expect(stderr).toMatch(
          part === "kernel"
            ? /^error: allcores \w+, .* computed other counts of the view "all exterior": SHA-256 \w{64}, expected \w{64}$/m
            : /^error: (?:Piscina|Tinypool|workerpool|child processes) computed other counts of the view "all exterior"/m,
        );
      });
    },
    60_000,
  );

  test("without a C compiler, the rows that need one are skipped, with the reason", async () => {
    const { status, stdout, report } = await quick(["kernel"], { CC: "no-such-compiler" });
    expect(status).toBe(0);
    expect(report.kernel?.skipped.map(({ id }) => id)).toEqual([
      ...["native-512", "native-256", "native-128", "native-scalar"],
      ...CEILINGS,
    ]);
    expect(stdout).toMatch(/skipped: C, scalar: no C compiler: "no-such-compiler" could not be run/);
    const target = report.targets.find(({ id }) => id === "naive-ceiling");
    expect(target).toMatchObject({ measured: null, met: null, note: "not measured" });
  }, 60_000);

  test.each([
    [["picture"], /invalid/],
    [["--samples", "0"], /"--samples" expected an integer from 1/],
  ])("bad arguments %j are refused with code 2", async (args, message) => {
    const { status, stderr } = await runProgram(program, args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe("the bands of the alternatives", () => {
  const kernel = () => new BandKernel(new WebAssembly.Module(new Uint8Array(kernelBytes("simd"))));

  test.each([1, 3, 8])(
    "for %d workers they make up the picture, whoever computes them, and each time anew",
    (count) => {
      const workers = Array.from({ length: count }, kernel);
      for (const name of ["whole97x61_it255", "whole256_it100", "whole256_it100", "col333_rem07", "whole97x61_it255"]) {
        const golden = goldenCases().find((each) => each.name === name) as GoldenCase;
        const counts = new Uint32Array(golden.width * golden.height);
        const tasks = tasksOf({ picture: pictureOf(golden), algorithm: "exact" }, count);
        for (const task of tasks.toReversed()) {
          place(counts, task, (workers[task.band % count] as BandKernel).render(task));
        }
        expect(counts).toEqual(golden.counts());
      }
    },
  );
});

describe("the views", () => {
  const all: [string, View][] = [...VIEWS, LARGE].map((view) => [view.title, view]);

  test("the reference picture is first, with the hash that CPython computed", () => {
    const reference = goldenCases().find(({ name }) => name === "seed1000");
    expect(VIEWS[0]).toMatchObject({ sha256: reference?.sha256, iterations: reference?.sum });
  });

  // The largest would take the oracle ten seconds; the benchmark compares everybody with it.
  test.each(all.filter(([, { iterations }]) => iterations < 2e8))(
    "%s: hash and iterations are the oracle's",
    (_, view) => {
      const counts = oracleCounts(pictureOf(view));
      expect(sha256(counts)).toBe(view.sha256);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(view.iterations);
    },
  );
});

/** A kernel that takes |z|² > 3 for an escape. */
function withLimitThree(kernel: Buffer): Buffer {
  const four = Buffer.from(new Float64Array([4]).buffer);
  const three = Buffer.from(new Float64Array([3]).buffer);
  let found = 0;
  for (let at = kernel.indexOf(four); at >= 0; at = kernel.indexOf(four, at + 8)) {
    three.copy(kernel, at);
    found++;
  }
  expect(found).toBeGreaterThan(0);
  return kernel;
}
