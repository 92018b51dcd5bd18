// The other end of process.ts.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { BUNDLE } from "../paths.ts";
import { type AlternativeId, UnavailableError } from "./alternative.ts";
import type { Order } from "./bands.ts";
import type { Answer, Request, Run } from "./process.ts";

/** An alternative in a process of its own. One call at a time. */
export class AlternativeProcess {
  readonly id: AlternativeId;
  readonly threads: number;
  readonly #process: ChildProcess;

  private constructor(id: AlternativeId, threads: number) {
    this.id = id;
    this.threads = threads;
    this.#process = fork(fileURLToPath(new URL("alternative-process.js", BUNDLE)), { execArgv: [] });
  }

  /**
   * Starts the process, and in it the alternative with so many workers.
   *
   * @throws {UnavailableError} If this build does not have it.
   */
  static async start(id: AlternativeId, threads: number, kernel: URL): Promise<AlternativeProcess> {
    const started = new AlternativeProcess(id, threads);
    try {
      await started.#ask({ type: "start", alternative: id, threads, kernel: kernel.href });
      return started;
    } catch (error) {
      await started.close();
      throw error;
    }
  }

  /** Renders with all workers, or with `threads` of them. */
  render(order: Order, threads?: number): Promise<Run> {
    return this.#ask({ type: "render", order, threads });
  }

  /** Milliseconds that each of so many jobs of empty tasks took, one after the other. */
  nothing(jobs: number, tasks: number): Promise<number[]> {
    return this.#ask({ type: "nothing", jobs, tasks });
  }

  /** The most memory that the process and its children ever had; null where the platform does not say. */
  peakBytes(): Promise<number | null> {
    return this.#ask({ type: "peak" });
  }

  async close(): Promise<void> {
    if (!this.#process.connected) return;
    const exited = once(this.#process, "exit");
    this.#process.disconnect();
    await exited;
  }

  async #ask<Value>(request: Request): Promise<Value> {
    const ended = new AbortController();
    const exit = () => ended.abort(new Error(`the process of ${this.id} has ended: see above for what it printed`));
    this.#process.once("exit", exit);
    try {
      this.#process.send(request);
      const [answer] = (await once(this.#process, "message", { signal: ended.signal })) as [Answer];
      if ("value" in answer) return answer.value as Value;
      throw answer.unavailable ? new UnavailableError(answer.error) : new Error(`${this.id}: ${answer.error}`);
    } catch (error) {
      throw ended.signal.aborted ? ended.signal.reason : error;
    } finally {
      this.#process.off("exit", exit);
    }
  }
}
