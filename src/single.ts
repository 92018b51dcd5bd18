// No workers: the caller's thread computes, for a few milliseconds at a time. It is a worker with a private memory all the
// same, with turns of the event loop for messages, so whatever waits for this thread waits for one slice at most.

import type { Host, HostMessage, WorkerBoot, WorkerEvents, WorkerHandle } from "./host.ts";
import { IsolatedPool } from "./isolated.ts";
import { serveIsolated } from "./isolated-worker.ts";

/** Makes the pool of `single` mode. Rejects if the kernel cannot be instantiated here. */
export function startSingle(host: Host, module: WebAssembly.Module, timeout: number): Promise<IsolatedPool> {
  const inThisThread = (boot: WorkerBoot, events: WorkerEvents) => spawnHere(host, boot, events);
  return IsolatedPool.start({ ...host, spawn: inThisThread }, module, 1, timeout);
}

function spawnHere(host: Host, { module }: WorkerBoot, events: WorkerEvents): WorkerHandle {
  let gone = false;
  let hear: (message: HostMessage) => void = () => {};
  /** Every message is a turn of its own, in either direction. */
  const later = (call: () => void) => host.yield(() => void (gone || call()));
  serveIsolated((memory) => host.instantiate(module, memory), {
    post: (message) => later(() => events.message(message)),
    listen: (listener) => {
      hear = listener;
    },
    now: host.now,
  });
  return {
    keepAlive: () => {}, // a turn to come does that
    post: (message) => later(() => hear(message)),
    terminate() {
      if (gone) return;
      gone = true;
      host.soon(() => events.exit());
    },
  };
}
