// The native control: compiles native/control.c, and talks to the program.

import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { messageOf } from "../../../src/errors.ts";
import { ROOT } from "../paths.ts";
import type { View } from "../views.ts";
import type { Contender, Rendering, Skipped } from "./contender.ts";

const run = promisify(execFile);

const SOURCE = fileURLToPath(new URL("test/bench/native/control.c", ROOT));

/** -ffp-contract=off: a fused multiply-add gives other counts. */
const FLAGS = ["-O3", "-ffp-contract=off"];

/** The first that the compiler accepts. Clang has no -march=native on some processors. */
const TUNINGS = ["-march=native", "-mcpu=native"];

export interface Compiler {
  /** The command, with its flags: "cc -O3 …". */
  command: string;
  /** The first line of what it says about itself. */
  version: string;
}

/** The bare recurrence in six chains, with no escape test: see control.c. */
export type BareVariant = "add" | "mixed";

type Program = ChildProcessByStdio<Writable, Readable, null>;

const NEWLINE = 10;

/** Renders of each variant, to find the fastest on a view. */
const ATTEMPTS = 4;

/** The program, compiled and running. */
export class NativeControl {
  readonly compiler: Compiler;
  readonly #folder: string;
  readonly #process: Program;
  readonly #output: AsyncIterator<Buffer>;
  #unread: Buffer = Buffer.alloc(0);

  private constructor(compiler: Compiler, folder: string, program: Program) {
    this.compiler = compiler;
    this.#folder = folder;
    this.#process = program;
    this.#output = program.stdout[Symbol.asyncIterator]();
  }

  /** Compiles the program and starts it. Where there is no compiler for it, the result says why, for people. */
  static async start(): Promise<NativeControl | { reason: string }> {
    const folder = mkdtempSync(join(tmpdir(), "allcores-control-"));
    try {
      const path = join(folder, process.platform === "win32" ? "control.exe" : "control");
      const compiler = await compile(path);
      if ("command" in compiler) {
        const program = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
        await once(program, "spawn");
        rmSync(folder, { recursive: true, force: process.platform === "win32" }); // which keeps it while it runs
        return new NativeControl(compiler, folder, program);
      }
      rmSync(folder, { recursive: true });
      return compiler;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** What this processor and compiler have: "scalar", and "128-stepwise", "128-deferred" and so on. */
  async variants(): Promise<string[]> {
    return (await this.#ask("variants")).split(" ");
  }

  /** Renders by brute force. One call at a time, as of all methods. */
  async render(variant: string, { width, height, maxIterations, region }: View): Promise<Rendering> {
    const { reMin, reMax, imMin, imMax } = region;
    const picture = [width, height, maxIterations, reMin, reMax, imMin, imMax].join(" ");
    const [nanoseconds, length] = numbers(await this.#ask(`render ${variant} ${picture}`));
    const bytes = await this.#read(length);
    return { elapsedMs: nanoseconds / 1e6, counts: new Uint32Array(bytes.buffer, 0, length / 4) };
  }

  /** Iterates without testing: at least so many iterations. Says how many they were. */
  async bare(variant: BareVariant, atLeast: number): Promise<{ elapsedMs: number; iterations: number }> {
    const [nanoseconds, iterations] = numbers(await this.#ask(`bare ${variant} ${atLeast}`));
    return { elapsedMs: nanoseconds / 1e6, iterations };
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, "exit");
      this.#process.stdin.end();
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Writes a command, and reads a line. */
  async #ask(command: string): Promise<string> {
    this.#process.stdin.write(`${command}\n`);
    let end = this.#unread.indexOf(NEWLINE);
    while (end < 0) {
      this.#unread = Buffer.concat([this.#unread, await this.#more()]);
      end = this.#unread.indexOf(NEWLINE);
    }
    const line = this.#unread.toString("latin1", 0, end);
    this.#unread = this.#unread.subarray(end + 1);
    return line;
  }

  /** Reads so many bytes, into a buffer of their own. */
  async #read(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let have = 0;
    while (have < length) {
      if (this.#unread.length === 0) this.#unread = await this.#more();
      const part = this.#unread.subarray(0, length - have);
      bytes.set(part, have);
      have += part.length;
      this.#unread = this.#unread.subarray(part.length);
    }
    return bytes;
  }

  async #more(): Promise<Buffer> {
    const { value, done } = await this.#output.next();
    if (done) throw new Error("the native control has ended: see above for what it printed");
    return value;
  }
}

async function compile(path: string): Promise<Compiler | { reason: string }> {
  const cc = process.env.CC ?? "cc";
  let version: string;
  try {
    version = (await run(cc, ["--version"])).stdout.split("\n")[0] ?? "";
  } catch (error) {
    return { reason: `no C compiler: "${cc}" could not be run (${messageOf(error)})` };
  }
  let refusal = "";
  for (const tuning of TUNINGS) {
    const flags = [...FLAGS, tuning];
    try {
      await run(cc, [...flags, "-o", path, SOURCE]);
      return { command: `${cc} ${flags.join(" ")}`, version };
    } catch (error) {
      refusal = messageOf(error);
    }
  }
  return { reason: `"${cc}" could not compile the control: ${refusal.trim()}` };
}

function numbers(answer: string): [number, number] {
  const [, first, second] = /^ok (\d+) (\d+)$/.exec(answer) ?? [];
  if (first === undefined) throw new Error(`the native control answered "${answer}"`);
  return [Number(first), Number(second)];
}

/** Brute force by one kind of vector, or without, in whichever of its ways is the faster on a view. */
class NativeContender implements Contender {
  readonly id: string;
  readonly title: string;
  readonly slow: boolean;
  readonly #control: NativeControl;
  readonly #variants: readonly string[];
  readonly #fastest = new Map<string, string>();

  constructor(control: NativeControl, { id, title, slow }: Kind, variants: readonly string[]) {
    this.id = id;
    this.title = title;
    this.slow = slow;
    this.#control = control;
    this.#variants = variants;
  }

  async render(view: View): Promise<Rendering> {
    const [only = "", ...others] = this.#variants;
    const variant = others.length === 0 ? only : (this.#fastest.get(view.id) ?? (await this.#choose(view)));
    const repeats = view.repeats ?? 1;
    let elapsedMs = 0;
    let counts = new Uint32Array();
    for (let i = 0; i < repeats; i++) {
      const rendering = await this.#control.render(variant, view);
      elapsedMs += rendering.elapsedMs / repeats;
      counts = rendering.counts as Uint32Array<ArrayBuffer>;
    }
    return { elapsedMs, counts, variant };
  }

  /** The contenders share the control, which their owner closes. */
  async close(): Promise<void> {}

  /** The least of a few times each, in turn: what disturbed one of them rarely disturbs all. */
  async #choose(view: View): Promise<string> {
    let fastest = "";
    let leastMs = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      for (const variant of this.#variants) {
        const { elapsedMs } = await this.#control.render(variant, view);
        if (elapsedMs >= leastMs) continue;
        leastMs = elapsedMs;
        fastest = variant;
      }
    }
    this.#fastest.set(view.id, fastest);
    return fastest;
  }
}

interface Kind {
  id: string;
  title: string;
  slow: boolean;
  /** What the names of its variants begin with. */
  prefix: string;
}

/** From the widest. */
const KINDS: readonly Kind[] = [
  { id: "native-512", title: "C, 512-bit, four chains", slow: false, prefix: "512" },
  { id: "native-256", title: "C, 256-bit, four chains", slow: false, prefix: "256" },
  { id: "native-128", title: "C, 128-bit, four chains", slow: false, prefix: "128" },
  { id: "native-scalar", title: "C, scalar", slow: true, prefix: "scalar" },
];

/** The control's contenders, and those that this machine cannot have. */
export async function nativeContenders(
  control: NativeControl | { reason: string },
): Promise<{ contenders: Contender[]; skipped: Skipped[] }> {
  if ("reason" in control) {
    return { contenders: [], skipped: KINDS.map(({ id, title }) => ({ id, title, reason: control.reason })) };
  }
  const variants = await control.variants();
  const contenders: Contender[] = [];
  const skipped: Skipped[] = [];
  for (const kind of KINDS) {
    const own = variants.filter((variant) => variant.startsWith(kind.prefix));
    if (own.length > 0) contenders.push(new NativeContender(control, kind, own));
    else
      skipped.push({
        id: kind.id,
        title: kind.title,
        reason: `this processor, or its compiler, has no ${kind.prefix}-bit vectors`,
      });
  }
  return { contenders, skipped };
}
