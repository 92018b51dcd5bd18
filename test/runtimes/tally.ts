// What became of a suite that runs elsewhere, added up from the lines that it tells.

import { LINE, type SuiteEvent } from "./protocol.ts";

export interface SuiteResult {
  passed: number;
  failed: number;
  skipped: number;
  failures: { name: string; message: string }[];
  /** Of the whole program. */
  milliseconds: number;
}

export class SuiteTally {
  /** Whether the suite has run its last test. */
  ended = false;
  readonly #begin = performance.now();
  readonly #sums = { passed: 0, failed: 0, skipped: 0 };
  readonly #failures: SuiteResult["failures"] = [];
  #running = "";

  /** Takes a line, if it is one of the suite's; else returns false. */
  hear(line: string): boolean {
    if (!line.startsWith(LINE)) return false;
    const event: SuiteEvent = JSON.parse(line.slice(LINE.length));
    if (event.event === "end") {
      this.ended = true;
    } else if (event.event === "begin") {
      this.#running = event.name;
    } else {
      this.#running = "";
      this.#sums[event.state]++;
      if (event.state === "failed") this.#failures.push({ name: event.name, message: event.message });
    }
    return true;
  }

  /** Counts something that is no test as a failure, and names the test that it happened in. */
  fail(name: string, message: string): void {
    this.#sums.failed++;
    const when = this.#running === "" ? "" : ` while it ran “${this.#running}”`;
    this.#failures.push({ name: name + when, message });
  }

  result(): SuiteResult {
    return { ...this.#sums, failures: this.#failures, milliseconds: performance.now() - this.#begin };
  }
}
