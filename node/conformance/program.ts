// Drives a host program: a job's line in, an answer's line out, the memory in a file.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { messageOf } from "../../src/errors.ts";
import type { Line } from "./job.ts";

/** What a host program says of a job that it has run. */
export interface Answer {
  elapsedMs: number;
  count: number;
  returned: number;
  host?: string;
}

/** An answer, and the part of the memory that the job's line asked for. */
export interface Outcome {
  answer: Answer;
  memory: Uint8Array;
}

/** Why there is no answer, as a sentence. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** The program has said that it has no means for this job. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}

/** What the end of standard error is worth showing. */
const TAIL = 2000;

interface Running {
  child: ChildProcessWithoutNullStreams;
  lines: AsyncIterator<string>;
  /** The end of what it has written to standard error. */
  errors: string;
  /** How it ended. */
  ended: Promise<string>;
}

export class HostProgram {
  readonly #command: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), "allcores-conformance-"));
  readonly #result = join(this.#folder, "result");
  readonly #timeoutMs: number;
  #running: Running | undefined;

  /** `command` is completed with the paths of `kernel` and of a file for results. Starts nothing yet. */
  constructor(command: readonly string[], kernel: string, timeoutMs: number) {
    this.#command = [...command, kernel, this.#result];
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Runs a job; one at a time. Starts the program if it does not run.
   *
   * @throws {NoAnswerError} (as a rejection) if the program ends, hangs, or answers with an error or nonsense. It is started again for
   * the next job.
   * @throws {UnsupportedError} (as a rejection) if the program says so.
   */
  async run(line: Line): Promise<Outcome> {
    rmSync(this.#result, { force: true });
    this.#running ??= this.#start();
    const running = this.#running;
    running.child.stdin.write(`${JSON.stringify(line)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = this.#timeoutMs / 1000;
      timer = setTimeout(() => reject(new NoAnswerError(`no answer within ${seconds} s: it hangs`)), this.#timeoutMs);
    });
    try {
      return this.#read(line, await Promise.race([nextAnswer(running), late]));
    } catch (error) {
      if (error instanceof UnsupportedError) throw error;
      this.#stop();
      throw new NoAnswerError(withErrors(messageOf(error), running.errors));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the program by the end of its input, or by force if it does not end by itself. */
  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) {
      running.child.stdin.end();
      const timer = setTimeout(() => running.child.kill("SIGKILL"), this.#timeoutMs);
      await running.ended;
      clearTimeout(timer);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(): Running {
    const [file = "", ...parameters] = this.#command;
    const child = spawn(file, parameters, { stdio: "pipe" });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ended = new Promise<string>((resolve) => {
      child.on("error", (error) => resolve(`could not be started: ${error.message}`));
      child.on("close", (status, signal) =>
        resolve(signal === null ? `ended with status ${status}` : `died of ${signal}`),
      );
    });
    const running: Running = { child, lines, errors: "", ended };
    child.stdin.on("error", () => {}); // it has ended, which `ended` tells
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      running.errors = (running.errors + text).slice(-TAIL);
    });
    void ended.then(() => {
      if (this.#running === running) this.#running = undefined; // it may end after an answer
    });
    return running;
  }

  #stop(): void {
    this.#running?.child.kill("SIGKILL");
    this.#running = undefined;
  }

  #read(line: Line, text: string): Outcome {
    const raw = parse(text);
    if (typeof raw.error === "string") throw new Error(`it says: ${raw.error}`);
    if (typeof raw.unsupported === "string") throw new UnsupportedError(raw.unsupported);
    for (const name of ["elapsedMs", "count", "returned"]) {
      if (typeof raw[name] !== "number") throw new Error(`its answer has no number "${name}": ${text}`);
    }
    const memory = readMemory(this.#result);
    if (memory.length !== line.bytes) {
      throw new Error(`it wrote ${memory.length} bytes of the memory to RESULT, where ${line.bytes} were asked for`);
    }
    return { answer: raw as unknown as Answer, memory };
  }
}

/** The next line that is JSON; whatever else a program prints is not for us. */
async function nextAnswer({ lines, ended }: Running): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`it ${await ended} before it answered`);
    if (value.startsWith("{")) return value;
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`its answer is no JSON (${messageOf(error)}): ${text}`);
  }
}

function readMemory(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path)); // a Buffer shares memory when it is sliced
  } catch (error) {
    throw new Error(`it wrote no RESULT (${messageOf(error)})`);
  }
}

function withErrors(message: string, errors: string): string {
  return errors === "" ? message : `${message}\n${errors.trimEnd()}`;
}
