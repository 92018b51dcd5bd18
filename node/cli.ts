#!/usr/bin/env node
// The command line. Exit codes: 0 fine, 1 wrong result or failure, 2 bad arguments, 130 interrupted.

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { WrongCountsError } from "../src/bench/laboratory.ts";
import { DEFAULT_PALETTE, PALETTES } from "../src/colors.ts";
import { EngineError, messageOf } from "../src/errors.ts";
import { bench } from "./cli/bench.ts";
import { count } from "./cli/count.ts";
import { doctor } from "./cli/doctor.ts";
import { Interrupt, listenForInterrupts } from "./cli/interrupt.ts";
import { createIo, type Io, UsageError } from "./cli/io.ts";
import { render } from "./cli/render.ts";

type Run<Flags> = (flags: Flags, io: Io, signal: AbortSignal) => Promise<number>;

async function main(): Promise<number> {
  const io = createIo();
  const signal = listenForInterrupts();
  let exitCode = 0;
  const action =
    <Flags>(run: Run<Flags>) =>
    async (flags: Flags) => {
      exitCode = await run(flags, io, signal);
    };
  try {
    await program(action).parseAsync();
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has printed what was wrong
    if (signal.reason instanceof Interrupt) {
      io.note(signal.reason.message);
      return signal.reason.exitCode;
    }
    const usage = error instanceof UsageError || (error instanceof EngineError && error.code === "E_ARGUMENT");
    const foreseen = usage || error instanceof EngineError || error instanceof WrongCountsError;
    // What nobody foresaw is a fault of ours, and whoever mends it needs to know where.
    io.note(foreseen ? `error: ${messageOf(error)}` : String((error as Error).stack ?? error));
    if (usage) io.note("see allcores --help");
    return usage ? 2 : 1;
  }
}

function program(action: <Flags>(run: Run<Flags>) => (flags: Flags) => Promise<void>): Command {
  const root = new Command("allcores")
    .description("Runs one WebAssembly kernel on every core, exactly, and measures how it scales.")
    .version(packageVersion())
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();

  const benchCommand = root
    .command("bench")
    .description("measure how rendering scales with threads, then count under a lock")
    .option("--threads <list>", "numbers of threads; 1 is always among them", "1,2,4,8");
  pictureOptions(benchCommand)
    .option("--algorithm <name>", "exact or naive (default: both)")
    .option("--schedule <name>", "dynamic or static (default: both)")
    .option("--samples <n>", "samples of each row", "10")
    .option("--json <file>", "write the report as JSON; - is stdout")
    .option("--svg <file>", "draw speedup and efficiency; - is stdout")
    .action(action(bench));

  root
    .command("count")
    .description("let threads add to one shared count")
    .option("--threads <n>", "", "10")
    .option("--increments <n>", "what each thread adds, one at a time", "100000")
    .option("--guard <name>", "lock, atomic or none", "lock")
    .option("--json <file>", "write the report as JSON; - is stdout")
    .action(action(count));

  pictureOptions(root.command("render").description("write a picture, or its counts, to a file"))
    .option("--threads <n>", "(default: the cores that this process may use)")
    .option("--algorithm <name>", "exact or naive", "exact")
    .option("--palette <name>", PALETTES.join(", "), DEFAULT_PALETTE)
    .option("--counts <file>", "write the counts: little-endian u32, row-major; - is stdout")
    .option("--png <file>", "write a picture; - is stdout")
    .action(action(render));

  root
    .command("doctor")
    .description("tell whether threading is on here, and if not, why and what to do")
    .option("--json <file>", "write the diagnosis as JSON; - is stdout")
    .action(action(doctor));

  for (const command of root.commands) command.allowExcessArguments(false).copyInheritedSettings(root);
  return root;
}

function pictureOptions(command: Command): Command {
  return command
    .option("--width <pixels>", "", "1000")
    .option("--height <pixels>", "", "1000")
    .option("--max-iterations <n>", "", "1000")
    .option("--region <reMin,reMax,imMin,imMax>", "part of the complex plane (default: the whole set, -2,1,-1,1)");
}

function packageVersion(): string {
  const file = new URL("../package.json", import.meta.url); // from dist/
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

// A reader that has seen enough, such as `head`, is no reason for a stack trace.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

// No process.exit(): what is still being written to a pipe would be cut off.
process.exitCode = await main();
