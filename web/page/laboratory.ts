// What the benchmark needs from a browser.

import { createEngine } from "allcores";
import type { Laboratory } from "../../src/bench/laboratory.ts";
import type { AbortSignalLike, MandelbrotOptions } from "../../src/types.ts";
import type { SerialAnswer, SerialRequest } from "./serial-worker.ts";
import workerUrl from "./serial-worker.ts?worker&url";
import { startWorker } from "./trusted.ts";

/** The serial build's place; Vite puts it beside the page. */
const SERIAL_KERNEL = new URL("../../build/kernel-serial.wasm", import.meta.url);

export interface PageLaboratory extends Laboratory {
  /** Ends the worker of the serial build. */
  close(): void;
}

/** @throws {Error} (as a rejection) If the serial build, or its worker, does not load. */
export async function createLaboratory(signal: AbortSignal): Promise<PageLaboratory> {
  const serial = new SerialRunner();
  try {
    await serial.ask({ kernel: SERIAL_KERNEL.href }, signal);
  } catch (error) {
    serial.close();
    throw error;
  }
  return {
    createEngine,
    serial: async (options: MandelbrotOptions, signal) => {
      const answer = await serial.ask({ options }, signal);
      if (!("counts" in answer)) throw new Error("the serial build's worker gave no picture");
      return answer;
    },
    sha256,
    now: () => performance.now(),
    cpuMs: () => null,
    throttledPeriods: () => 0,
    close: () => serial.close(),
  };
}

class SerialRunner {
  readonly #worker = startWorker(new URL(workerUrl, import.meta.url).href);

  /** One call at a time. After a rejection it can only be closed. */
  ask(request: SerialRequest, signal: AbortSignalLike): Promise<SerialAnswer> {
    return new Promise((resolve, reject) => {
      const listening = new AbortController();
      const settle = (act: () => void) => {
        listening.abort();
        signal.removeEventListener("abort", onAbort);
        act();
      };
      const onAbort = () => settle(() => reject(signal.reason));
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort);
      const own = { signal: listening.signal };
      this.#worker.addEventListener(
        "message",
        ({ data }: MessageEvent<SerialAnswer>) =>
          settle(() => ("error" in data ? reject(new Error(data.error)) : resolve(data))),
        own,
      );
      this.#worker.addEventListener(
        "error",
        (event) => settle(() => reject(new Error(event.message || "the serial build's worker did not load"))),
        own,
      );
      this.#worker.postMessage(request);
    });
  }

  close(): void {
    this.#worker.terminate();
  }
}

/** Whether this page may compute SHA-256: browsers let only secure contexts. */
export const CAN_HASH = globalThis.crypto?.subtle !== undefined;

/** SHA-256 of the counts; in an insecure context a checksum that says what it is. */
async function sha256(counts: Uint32Array): Promise<string> {
  if (!CAN_HASH) return `fnv1a:${fnv1a(counts).toString(16).padStart(8, "0")}`;
  // A copy, as no shared memory may be hashed.
  const digest = await crypto.subtle.digest("SHA-256", counts.slice());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The FNV-1a hash, word by word. */
function fnv1a(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}
