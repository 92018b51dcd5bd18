// The engine's suite on every runtime that it is for, as one bundled file.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, version } from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleSuite } from "./runtimes/bundle.ts";
import { type Runtime, runtimes } from "./runtimes/fetch.ts";
import { type Limits, runSuite } from "./runtimes/run.ts";

const MINUTES = 60_000;

const all = await runtimes();

/** What ran where; .ci/summary.js adds it up. */
const ran: { runtime: string; passed: number; failed: number; skipped: number }[] = [];

afterAll(() => {
  const report = new URL("../build/runtimes-report.json", import.meta.url);
  mkdirSync(new URL(".", report), { recursive: true });
  writeFileSync(report, JSON.stringify(ran));
});

describe.each(all.map((runtime) => [runtime.label, runtime] as const))("on %s", (label, runtime) => {
  let harness = "";
  let engine = "";
  beforeAll(async () => {
    [harness, engine] = await bundles();
  });

  test("a suite's tests pass, fail and are skipped as under vitest", async () => {
    const result = await runSuite(runtime, harness);
    expect({ ...result, failures: result.failures.map(({ name }) => name) }).toEqual({
      passed: 5,
      failed: 9,
      skipped: 3,
      failures: [
        "assertions > fails: toEqual",
        "assertions > fails: toBeCloseTo",
        "assertions > fails: toThrow",
        "assertions > fails: rejects, of what resolves",
        "assertions > fails: rejects, with another reason",
        "assertions > fails: what throws",
        "assertions > fails: what rejects",
        "assertions > fails: what takes too long",
        "a hook that throws",
      ],
      milliseconds: expect.any(Number),
    });
  });

  test("the engine's suite passes", { timeout: 6 * MINUTES }, async () => {
    const { passed, failed, skipped, failures, milliseconds } = await runSuite(runtime, engine);
    const seconds = (milliseconds / 1000).toFixed(1);
    ran.push({ runtime: label, passed, failed, skipped });
    console.log(`${label}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`);
    expect(failures.map(({ name, message }) => `${name}\n${message}`).join("\n\n")).toBe("");
    expect(failed).toBe(0);
    expect(passed).toBeGreaterThan(0);
  });
});

let bundled: Promise<[harness: string, engine: string]> | undefined;

/** The bundled suites, which are made once. */
function bundles(): Promise<[harness: string, engine: string]> {
  bundled ??= Promise.all([bundleSuite("runtimes/harness.suite"), bundleSuite("engine.suite")]);
  return bundled;
}

describe("a program that runs a suite", () => {
  const folder = mkdtempSync(join(tmpdir(), "allcores-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const node: Runtime = { name: "node", label: "Node", version, command: [execPath] };
  const passed = `console.log('@suite {"event":"begin","name":"t"}');
    console.log('@suite {"event":"test","name":"t","state":"passed","milliseconds":1,"message":""}');`;
  const end = `console.log('@suite {"event":"end"}');`;

  function runProgram(source: string, limits?: Limits) {
    const path = join(folder, "program.mjs");
    writeFileSync(path, source);
    return runSuite(node, path, limits);
  }

  test("may print what it likes", async () => {
    expect(await runProgram(`console.log("hello"); ${passed} console.error("hello"); ${end}`)).toMatchObject({
      passed: 1,
      failed: 0,
      failures: [],
    });
  });

  test.each<[what: string, source: string, message: RegExp, limits?: Limits]>([
    ["ends before its tests do", passed, /status 0/],
    ["waits for what never comes", `${passed} await new Promise(() => {});`, /status 13/],
    [
      "throws after its tests",
      `${passed} ${end} setTimeout(() => { throw new Error("late"); });`,
      /status 1[\s\S]*late/,
    ],
    ["crashes", `${passed} console.error("alas"); process.kill(process.pid, "SIGKILL");`, /SIGKILL[\s\S]*alas/],
    ["takes too long", `${passed} setInterval(() => {}, 1000);`, /had not ended after 0.5 s/, { tests: 500 }],
    ["does not end by itself", `${passed} ${end} setInterval(() => {}, 1000);`, /kept it alive/, { exit: 500 }],
  ])("has failed if it %s", async (_, source, message, limits) => {
    const result = await runProgram(source, limits);
    expect(result).toMatchObject({ passed: 1, failed: 1 });
    expect(result.failures[0]?.message).toMatch(message);
  });

  test("has failed if it cannot be started, or is no suite", async () => {
    const nowhere = { ...node, command: [join(folder, "nowhere")] };
    expect(await runSuite(nowhere, "nothing")).toMatchObject({ passed: 0, failed: 1 });
    expect(await runProgram("")).toMatchObject({ passed: 0, failed: 1 });
  });

  test("is named with the test that it was in", async () => {
    const { failures } = await runProgram(`console.log('@suite {"event":"begin","name":"slow"}'); process.exit(1);`);
    expect(failures[0]?.name).toContain("slow");
  });
});
