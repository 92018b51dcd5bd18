// `npm run bench:peers`: allcores against what else there is, in one run. Exit codes: 0 fine, whatever the figures; 1 wrong
// counts or a failure; 2 bad arguments.

import { pathToFileURL } from "node:url";
import { Argument, Command, CommanderError, Option } from "commander";
import { parseInteger } from "../../node/cli/flags.ts";
import { checkWritable, createIo, type Io, UsageError, writeJson } from "../../node/cli/io.ts";
import { type Environment, readEnvironment } from "../../node/environment.ts";
import { WrongCountsError } from "../../src/bench/laboratory.ts";
import { messageOf } from "../../src/errors.ts";
import { measureDispatch } from "./dispatch.ts";
import { measureKernels } from "./kernel.ts";
import { DIST } from "./paths.ts";
import { formatConditions, formatDispatch, formatKernels, formatTargets, formatThreads } from "./tables.ts";
import { type Reports, type Target, targetsOf } from "./targets.ts";
import { measureThreads } from "./threads.ts";
import { LARGE, VIEWS, viewOf } from "./views.ts";

const PARTS = ["kernel", "threads", "dispatch"] as const;
type Part = (typeof PARTS)[number];

interface Flags {
  samples: string;
  json?: string;
  kernels?: string;
  quick?: boolean;
  view?: string[];
}

/** What the JSON holds. Fields are added, never renamed. */
export interface PeersReport extends Reports {
  schema: "allcores.peers/1";
  /** When the run began: ISO 8601. */
  date: string;
  environment: Environment;
  samples: number;
  quick: boolean;
  targets: Target[];
}

async function run(parts: readonly Part[], flags: Flags, io: Io): Promise<void> {
  const samples = parseInteger("--samples", flags.samples, 1, 10_000);
  checkWritable("--json", flags.json);
  const quick = flags.quick === true;
  const kernels = flags.kernels === undefined ? DIST : pathToFileURL(`${flags.kernels}/`);
  const kernel = new URL("kernel.wasm", kernels);
  const threads = quick ? [1, 2] : [1, 2, 4, 8];
  const ids = flags.view ?? (quick ? ["exterior", "tiny"] : undefined);
  const views = ids?.map(viewOf) ?? VIEWS;
  const [view = LARGE] = views;
  const environment = readEnvironment();
  const report: PeersReport = {
    schema: "allcores.peers/1",
    date: new Date().toISOString(),
    environment,
    samples,
    quick,
    kernel: null,
    threads: null,
    dispatch: null,
    targets: [],
  };
  const step = (title: string) => io.note(io.colors.dim(`… ${title}`));
  const show = (text: string) => {
    io.out(`${text}\n`);
    // After each part, so that a later failure loses nothing.
    report.targets = targetsOf(report);
    if (flags.json !== undefined) writeJson(flags.json, report);
  };

  io.out(`${formatConditions(environment, samples)}\n`);
  if (parts.includes("kernel")) {
    report.kernel = await measureKernels({ views, samples, kernels }, step);
    show(formatKernels(report.kernel, io.colors));
  }
  if (parts.includes("threads")) {
    const large = quick ? viewOf("tiny") : LARGE;
    report.threads = await measureThreads({ view, large, threads, samples, kernel }, step);
    show(formatThreads(report.threads, environment.usableCores, io.colors));
  }
  if (parts.includes("dispatch")) {
    report.dispatch = await measureDispatch({ samples, jobs: quick ? 20 : 1000, threads, kernel }, step);
    show(formatDispatch(report.dispatch, environment.usableCores, io.colors));
  }
  io.out(formatTargets(report.targets, io.colors));
}

async function main(): Promise<number> {
  const io = createIo();
  const command = new Command("bench:peers")
    .description("Measures allcores against what else there is, in one run. See docs/benchmarks.md.")
    .addArgument(new Argument("[parts...]", "what to measure (default: all)").choices(PARTS))
    .option("--samples <n>", "samples of each row; slow rows have fewer", "10")
    .option("--json <file>", "write everything as JSON")
    .option("--kernels <folder>", "take the engine's kernels from there, for the rows of one thread and of the pools")
    .addOption(
      new Option("--view <ids...>", "render these only, the first of them in all parts").choices(
        VIEWS.map(({ id }) => id),
      ),
    )
    .option("--quick", "little work: shows that everything runs, and measures nothing worth having")
    .exitOverride()
    .action((parts: Part[], flags: Flags) => run(parts.length === 0 ? PARTS : parts, flags, io));
  try {
    await command.parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has printed what was wrong
    const foreseen = error instanceof UsageError || error instanceof WrongCountsError;
    io.note(foreseen ? `error: ${messageOf(error)}` : String((error as Error).stack ?? error));
    return error instanceof UsageError ? 2 : 1;
  }
}

process.exitCode = await main();
