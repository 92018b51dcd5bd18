// A host of the allcores kernel for Node, Deno and Bun, as docs/abi.md tells: node host.js KERNEL RESULT.
// It reads a job a line from standard input, runs it on workers, and answers with a line.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

/** performance.now() begins at another time in each thread. */
const now = () => performance.timeOrigin + performance.now();
const instantiate = (module, memory) => new WebAssembly.Instance(module, { env: { memory, now } }).exports;

if (isMainThread) await serve(...process.argv.slice(2));
else listen();

/** A thread: is given an instance, and works when it is told to, or when it has been woken. */
function listen() {
  let kernel;
  let thread;
  parentPort.on("message", (message) => {
    if (message !== "work") {
      thread = message.thread;
      kernel = instantiate(message.module, message.memory);
      parentPort.postMessage("ready");
      if (!message.park) return;
      kernel.park(thread, 0);
    }
    parentPort.postMessage(kernel.work(thread));
  });
}

async function serve(kernelPath, resultPath) {
  const module = await WebAssembly.compile(readFileSync(kernelPath));
  const workers = [];
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await run(JSON.parse(line), module, workers, resultPath).catch(({ message }) => ({
      error: message,
    }));
    console.log(JSON.stringify({ host: runtime(), ...answer }));
  }
  for (const worker of workers) worker.terminate();
}

async function run(job, module, workers, resultPath) {
  const memory = new WebAssembly.Memory({ initial: job.pages, maximum: job.pages, shared: true });
  const view = new DataView(memory.buffer);
  const kernel = instantiate(module, memory);
  for (const [name, value] of Object.entries(job)) {
    if (/^MANDELBROT_(RE|IM)_/.test(name)) view.setFloat64(kernel[name].value, value, true);
    else if (/^[A-Z]/.test(name)) view.setInt32(kernel[name].value, value, true);
  }

  while (workers.length < job.JOB_THREADS) workers.push(new Worker(new URL(import.meta.url)));
  const team = workers.slice(0, job.JOB_THREADS);
  const heard = () => Promise.all(team.map((worker) => once(worker, "message").then(([message]) => message)));
  const ready = heard();
  team.forEach((worker, thread) => {
    worker.postMessage({ module, memory, thread, park: job.park });
  });
  await ready;
  const ended = heard();
  await sleep(job.park);

  const begin = performance.now();
  kernel.publish();
  if (job.count) view.setBigInt64(kernel.CONTROL_COUNT.value, BigInt(job.count), true);
  if (!job.park) for (const worker of team) worker.postMessage("work");
  const bits = await ended;
  const elapsedMs = performance.now() - begin;

  writeFileSync(resultPath, new Uint8Array(memory.buffer, job.from, job.bytes).slice());
  const count = Number(view.getBigInt64(kernel.CONTROL_COUNT.value, true));
  return { elapsedMs, count, returned: bits.reduce((sum, each) => sum + each, 0) };
}

function runtime() {
  if (globalThis.Deno) return `Deno ${Deno.version.deno}`;
  return process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`;
}
