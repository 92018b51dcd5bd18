// `allcores conformance`: is a host of the kernel right, and how does it scale?

import { ms, percent, plural } from "../../src/bench/format.ts";
import type { Algorithm, Build } from "../../src/types.ts";
import { type BenchRun, benchHost, totalSamples, WrongPictureError } from "../conformance/bench.ts";
import { type Case, type CaseResult, Kit, readCases, SELF_TEST } from "../conformance/kit.ts";
import { readCores } from "../cores.ts";
import { parseChoice, parseInteger, parseThreadList } from "./flags.ts";
import { checkWritable, type Io, UsageError, writeJson } from "./io.ts";
import { table } from "./table.ts";

export interface ConformanceFlags {
  command: string[];
  build: string;
  threads?: string;
  case?: string;
  repeat: string;
  timeout: string;
  bench?: true;
  algorithm?: string;
  samples: string;
  json?: string;
}

const BUILDS = ["both", "simd", "scalar", "auto"] as const;
type BuildChoice = (typeof BUILDS)[number];

/** @returns The exit code: 1 if any case failed. */
export async function conformance(flags: ConformanceFlags, io: Io, signal: AbortSignal): Promise<number> {
  const choice = parseChoice("--build", flags.build, BUILDS);
  const repeat = parseInteger("--repeat", flags.repeat, 1, 10_000);
  const samples = parseInteger("--samples", flags.samples, 1, 10_000);
  const timeoutMs = 1000 * parseInteger("--timeout", flags.timeout, 1, 3600);
  const threads = flags.threads === undefined ? undefined : parseThreadList("--threads", flags.threads);
  checkWritable("--json", flags.json);
  const say: (text: string) => void = flags.json === "-" ? () => {} : io.out;
  const report = (value: object) => {
    if (flags.json !== undefined)
      writeJson(flags.json, { schema: "allcores.conformance/1", command: flags.command, ...value });
  };

  if (flags.bench) {
    const plan = {
      builds: buildsOf(choice),
      algorithms:
        flags.algorithm === undefined ? ALGORITHMS : [parseChoice("--algorithm", flags.algorithm, ALGORITHMS)],
      threads: [...new Set([1, ...(threads ?? [1, 2, 4, 8])])],
      samples,
    };
    const progress = io.progress(totalSamples(plan));
    try {
      const runs = await benchHost(flags.command, plan, timeoutMs, progress.step);
      progress.stop();
      for (const run of runs) say(`${formatBench(run)}\n`);
      report({ bench: runs });
      return 0;
    } catch (error) {
      if (!(error instanceof WrongPictureError)) throw error;
      progress.stop();
      io.note(`error: ${error.message}`);
      return 1;
    }
  }

  const cases = chooseCases(threads, flags.case);
  const kit = new Kit(flags.command, timeoutMs);
  try {
    const results = await runCases(kit, cases, choice, repeat, signal, (result) =>
      say(formatResult(result, repeat, io)),
    );
    say(formatSummary(results, kit, cases.length, io));
    report({ host: kit.host ?? null, ...totals(results), results });
    return results.some(({ status }) => status === "failed") || kit.isSilent ? 1 : 0;
  } finally {
    await kit.close();
  }
}

const ALGORITHMS: Algorithm[] = ["naive", "exact"];

function buildsOf(choice: BuildChoice): Build[] {
  return choice === "both" || choice === "auto" ? ["scalar", "simd"] : [choice];
}

function chooseCases(threads: number[] | undefined, text: string | undefined): Case[] {
  const all = readCases();
  const chosen = all.filter(
    ({ name, line }) =>
      (threads === undefined || threads.includes(line.JOB_THREADS)) && (text === undefined || name.includes(text)),
  );
  if (chosen.length > 0) return chosen;
  const names = [...new Set(all.map(({ name }) => name))];
  throw new UsageError(`there is no such case: there are ${names.join("; ")}`);
}

async function runCases(
  kit: Kit,
  cases: Case[],
  choice: BuildChoice,
  repeat: number,
  signal: AbortSignal,
  onResult: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const run = async (build: Build, chosen: Case[], repetition: number) => {
    for (const each of chosen) {
      signal.throwIfAborted();
      if (kit.isSilent) return;
      const result = await kit.run(each, build, repetition);
      results.push(result);
      onResult(result);
    }
  };
  const builds = buildsOf(choice);
  for (let repetition = 1; repetition <= repeat; repetition++) {
    for (const build of builds) {
      if (choice === "auto" && build === "simd" && repetition === 1) {
        const wrong = await failedSelfTest(kit);
        if (wrong !== undefined) {
          builds.pop();
          const [{ line }] = cases as [Case];
          const reasons = [`the SIMD build failed its self-test here, so the scalar build is to be used: ${wrong}`];
          const result = { build, name: SELF_TEST, threads: line.JOB_THREADS, repetition, reasons, elapsedMs: null };
          results.push({ ...result, status: "unsupported" });
          onResult({ ...result, status: "unsupported" });
          break;
        }
      }
      await run(build, cases, repetition);
    }
  }
  return results;
}

/** What is wrong with the host's SIMD, by a few small pictures on one thread. */
async function failedSelfTest(kit: Kit): Promise<string | undefined> {
  for (const each of readCases().filter(({ name }) => name.startsWith(SELF_TEST))) {
    const { reasons } = await kit.run(each, "simd", 1);
    if (reasons.length > 0) return reasons.join("; ");
  }
  return undefined;
}

function totals(results: CaseResult[]): Record<CaseResult["status"], number> {
  const count = (wanted: CaseResult["status"]) => results.filter(({ status }) => status === wanted).length;
  return { passed: count("passed"), failed: count("failed"), unsupported: count("unsupported") };
}

function formatResult(
  { status, build, name, threads, repetition, reasons, elapsedMs }: CaseResult,
  repeat: number,
  { colors }: Io,
): string {
  const mark = { passed: colors.green("pass"), failed: colors.red("FAIL"), unsupported: colors.yellow("none") }[status];
  const round = repeat === 1 ? "" : `  round ${repetition}`;
  const time = elapsedMs === null ? "" : `  ${ms(elapsedMs)}`;
  const head = `${mark}  ${build.padEnd(6)}  ${String(threads).padStart(2)}  ${name}${time}${round}`;
  return [head, ...reasons.map((reason) => `      ${reason.replaceAll("\n", "\n      ")}`)].join("\n");
}

function formatSummary(results: CaseResult[], kit: Kit, cases: number, { colors }: Io): string {
  const { passed, failed, unsupported } = totals(results);
  const lines = [
    `${kit.host ?? "the host"}: ${plural(passed, "case")} passed, ${failed} failed, ${unsupported} not supported (of ${cases} for a build)`,
  ];
  const wrong = (build: Build) => results.some((result) => result.build === build && result.status === "failed");
  const ran = (build: Build) => results.some((result) => result.build === build);
  if (kit.isSilent) lines.push("The program did not answer again and again, so the rest was not tried.");
  else if (wrong("simd") && ran("scalar") && !wrong("scalar")) {
    lines.push(
      "Only the SIMD build is wrong: use kernel-scalar.wasm with this engine (--build auto finds that by itself).",
    );
  }
  return colors.bold(lines.join("\n"));
}

function formatBench({ build, algorithm, host, node, rows }: BenchRun): string {
  const { usable } = readCores();
  const body = rows.map((row) => [
    `${row.threads}${row.threads > usable ? " *" : ""}`,
    ms(row.medianMs),
    percent(row.madMs / row.medianMs),
    `${row.speedup.toFixed(2)}×`,
    percent(row.efficiency),
    `${row.toNode.toFixed(2)}×`,
  ]);
  return [
    `${host}, ${build} build, ${algorithm}: the reference picture, medians of ${plural(rows[0]?.samplesMs.length ?? 0, "sample")}`,
    table(["threads", "median", "± MAD", "speedup", "efficiency", `time of ${node}'s`], body),
    ...(rows.some(({ threads }) => threads > usable)
      ? [`  * more threads than the ${plural(usable, "core")} that this process may use`]
      : []),
  ].join("\n");
}
