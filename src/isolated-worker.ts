// What a worker with a private memory does, on any platform: it is its own host, and computes chunks that it is sent. It
// knows nothing from one message to the next, and answers soon, so whoever sends nothing more has stopped it.

import { CONTROL_CLAIM, JOB, JOB_CHUNKS, JOB_RECORDS, RECORD_BYTES, THREAD_PROGRESS } from "../assembly/layout.ts";
import type { HostMessage, Kernel, WorkerMessage } from "./host.ts";
import { UNIT_BYTES } from "./jobs.ts";
import { blockOf, EngineMemory } from "./memory.ts";
import { failureOf } from "./worker.ts";

/** Milliseconds after which a worker answers with what it has. */
const SLICE_MS = 4;

/** Pages that a worker's memory may have: 16 MB, room for the largest part. */
const MAX_PAGES = 256;

/** How a worker hears and speaks, whatever the platform. */
export interface WorkerPort {
  post(message: WorkerMessage, transfer: ArrayBuffer[]): void;
  listen(hear: (message: HostMessage) => void): void;
  /** Milliseconds, monotonic. */
  now(): number;
}

/**
 * Serves jobs until the worker is ended. Returns at once. `instantiate` makes this worker's kernel; whatever it, or the
 * kernel, throws is reported, and the worker is done: its instance may be in any state.
 */
export function serveIsolated(instantiate: (memory: WebAssembly.Memory) => Kernel, port: WorkerPort): void {
  const guarded = (call: () => void) => {
    try {
      call();
    } catch (error) {
      port.post(failureOf(error), []);
    }
  };
  guarded(() => {
    const memory = new EngineMemory(true, MAX_PAGES);
    const kernel = instantiate(memory.memory);
    port.listen((message) => guarded(() => compute(memory, kernel, port, message)));
    port.post({ type: "allcores:ready" }, []);
  });
}

function compute(memory: EngineMemory, kernel: Kernel, port: WorkerPort, message: HostMessage): void {
  const { job, task, first, unit, units } = message;
  const { parameters, outputs, stride } = task;
  const until = port.now() + SLICE_MS;
  const recordBytes = (message.end - first) * RECORD_BYTES;
  const arrayBytes = (units + 1) * UNIT_BYTES;
  const block = memory.allocate(recordBytes + outputs.length * arrayBytes);
  new Uint8Array(memory.memory.buffer, JOB, parameters.length).set(parameters);
  memory.placeScratch();
  const arrays = outputs.map((parameter, index) => {
    // The kernel is told where unit 0 would be, modulo 2³². But 0 means that there is no array.
    let address = block.address + recordBytes + index * arrayBytes;
    if (bias(address, unit * UNIT_BYTES) === 0) address += UNIT_BYTES;
    memory.setInt(parameter, bias(address, unit * UNIT_BYTES));
    return address;
  });

  let end = first;
  let done = 0;
  do {
    const next = Math.min(message.end, end + stride);
    // A job of no chunks is published, which then becomes one of these: this thread is the only one, and the host.
    memory.setInt(JOB_CHUNKS, 0);
    memory.setInt(JOB_RECORDS, block.address);
    kernel.publish();
    memory.setInt(CONTROL_CLAIM, end);
    memory.setInt(JOB_CHUNKS, next);
    memory.setInt(JOB_RECORDS, bias(block.address, first * RECORD_BYTES));
    kernel.work(0);
    done += memory.int(blockOf(0) + THREAD_PROGRESS);
    end = next;
  } while (end < message.end && port.now() < until);

  const bytes = concatenate(memory, [
    [block.address, (end - first) * RECORD_BYTES],
    ...arrays.map((address): Extent => [address, done * UNIT_BYTES]),
  ]);
  memory.free(block);
  port.post({ type: "allcores:part", job, first, end, bytes }, [bytes.buffer]);
}

/** Address and length. */
type Extent = [address: number, bytes: number];

function concatenate({ memory }: EngineMemory, extents: Extent[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(extents.reduce((sum, [, bytes]) => sum + bytes, 0));
  let offset = 0;
  for (const [address, bytes] of extents) {
    all.set(new Uint8Array(memory.buffer, address, bytes), offset);
    offset += bytes;
  }
  return all;
}

/** An address from which adding `offset` leads to `address`, as the kernel adds: modulo 2³². */
function bias(address: number, offset: number): number {
  return (address - offset) | 0;
}
