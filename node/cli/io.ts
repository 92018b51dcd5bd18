// The terminal: results on stdout, progress and warnings on stderr, colours only where somebody sees them.

import { closeSync, openSync, writeFileSync } from "node:fs";
import { SingleBar } from "cli-progress";
import pc from "picocolors";
import { messageOf } from "../../src/errors.ts";

export type Colors = ReturnType<typeof pc.createColors>;

/** Bad arguments: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Progress {
  /** One step done. */
  step(): void;
  /** What is being done now. */
  label(text: string): void;
  /** Clears the bar while something else is printed. */
  pause(print: () => void): void;
  stop(): void;
}

export interface Io {
  /** Writes a result, and ends the line. */
  out(text: string): void;
  /** Writes a remark, and ends the line. */
  note(text: string): void;
  warn(text: string): void;
  /** For what goes to `out`. */
  readonly colors: Colors;
  /** A bar while a terminal watches, else nothing. */
  progress(total: number): Progress;
}

function colorsFor(stream: NodeJS.WriteStream): Colors {
  const { NO_COLOR, TERM } = process.env;
  return pc.createColors(stream.isTTY === true && !NO_COLOR && TERM !== "dumb");
}

export function createIo(): Io {
  const errorColors = colorsFor(process.stderr);
  const note = (text: string) => void process.stderr.write(`${text}\n`);
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    note,
    warn: (text) => note(`${errorColors.yellow("warning:")} ${text}`),
    colors: colorsFor(process.stdout),
    progress: (total) => (process.stderr.isTTY ? bar(total) : noBar),
  };
}

const noBar: Progress = { step() {}, label() {}, pause: (print) => print(), stop() {} };

function bar(total: number): Progress {
  const line = new SingleBar({
    format: " {bar} {percentage} %  {label}",
    barCompleteChar: "━",
    barIncompleteChar: "─",
    barsize: 32,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  let done = 0;
  let label = "";
  line.start(total, done, { label });
  return {
    step: () => line.update(++done),
    label: (text) => {
      label = text;
      line.update({ label });
    },
    pause: (print) => {
      line.stop();
      print();
      line.start(total, done, { label });
    },
    stop: () => line.stop(),
  };
}

/**
 * Refuses a file that cannot be written before the work is done that it is for. "-" is stdout.
 *
 * @throws {UsageError}
 */
export function checkWritable(flag: string, path: string | undefined): void {
  if (path === undefined || path === "-") return;
  try {
    closeSync(openSync(path, "a"));
  } catch (error) {
    throw new UsageError(`"${flag}" expected a file that can be written, got "${path}": ${messageOf(error)}`);
  }
}

/** Writes to a file, or to stdout if the path is "-". */
export function writeResult(path: string, data: string | Uint8Array): void {
  if (path === "-") process.stdout.write(data);
  else writeFileSync(path, data);
}

export function writeJson(path: string, value: unknown): void {
  writeResult(path, `${JSON.stringify(value, null, 2)}\n`);
}
