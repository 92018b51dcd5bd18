// Those who share no memory: the pools of the npm registry, child processes, and bare workers.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import Piscina from "piscina";
import Tinypool from "tinypool";
import workerpool from "workerpool";
import { BUNDLE } from "../paths.ts";
import { type Alternative, NO_CHILDREN } from "./alternative.ts";
import type { BandRequest } from "./band-process.ts";
import { type BandTask, place, tasksOf } from "./bands.ts";

/** What hands tasks to workers. */
interface Dispatcher {
  run(task: BandTask): PromiseLike<Uint32Array>;
  nothing(): PromiseLike<unknown>;
  close(): PromiseLike<unknown>;
}

/** An alternative from something that hands tasks to so many workers. */
function banded(threads: number, dispatcher: Dispatcher): Alternative {
  return {
    ...NO_CHILDREN,
    async render(order) {
      const { width, height } = order.picture;
      const counts = new Uint32Array(width * height);
      const compute = async (task: BandTask) => place(counts, task, await dispatcher.run(task));
      await Promise.all(tasksOf(order, threads).map(compute));
      return { counts, release() {} };
    },
    nothing: (tasks) => Promise.all(Array.from({ length: tasks }, () => dispatcher.nothing())),
    close: async () => dispatcher.close(),
  };
}

/** The kernel, compiled: posted, it is the same machine code in every worker. */
function compile(kernel: URL): { module: WebAssembly.Module } {
  return { module: new WebAssembly.Module(readFileSync(kernel)) };
}

export function startPiscina(threads: number, kernel: URL): Alternative {
  return startTasks(Piscina, "band-piscina.js", threads, kernel);
}

export function startTinypool(threads: number, kernel: URL): Alternative {
  return startTasks(Tinypool, "band-tinypool.js", threads, kernel);
}

/** Tinypool is made from Piscina, and is called in the same way. */
function startTasks(Pool: typeof Piscina | typeof Tinypool, file: string, threads: number, kernel: URL): Alternative {
  const pool = new Pool({
    filename: new URL(file, BUNDLE).href,
    minThreads: threads,
    maxThreads: threads,
    workerData: compile(kernel),
  });
  return banded(threads, {
    run: (task) => pool.run(task),
    nothing: () => pool.run(undefined, { name: "nothing" }),
    close: () => pool.destroy(),
  });
}

export function startWorkerpool(threads: number, kernel: URL): Alternative {
  const pool = workerpool.pool(fileURLToPath(new URL("band-workerpool.js", BUNDLE)), {
    workerType: "thread",
    minWorkers: threads,
    maxWorkers: threads,
    workerThreadOpts: { workerData: compile(kernel) },
  });
  return banded(threads, {
    run: (task) => pool.exec("render", [task]),
    nothing: async () => void (await pool.exec("nothing")),
    close: async () => void (await pool.terminate(true)),
  });
}

/** Child processes: each gets the next task when it has answered the last. */
export function startProcesses(threads: number, kernel: URL): Alternative {
  const path = fileURLToPath(new URL("band-process.js", BUNDLE));
  const children = Array.from({ length: threads }, () =>
    fork(path, [fileURLToPath(kernel)], { serialization: "advanced", execArgv: [] }),
  );
  const ask = async <Answer>(child: ChildProcess, request: BandRequest): Promise<Answer> => {
    child.send(request);
    const [answer] = await once(child, "message");
    return answer;
  };
  return {
    async render(order) {
      const { width, height } = order.picture;
      const counts = new Uint32Array(width * height);
      const tasks = tasksOf(order, threads);
      const serve = async (child: ChildProcess) => {
        for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
          place(counts, task, await ask(child, task));
        }
      };
      await Promise.all(children.map(serve));
      return { counts, release() {} };
    },
    nothing: (tasks) => Promise.all(children.slice(0, tasks).map((child) => ask(child, "cpu"))),
    children: children.map(({ pid }) => pid as number),
    async childrenCpuMs() {
      const times = await Promise.all(children.map((child) => ask<number>(child, "cpu")));
      return times.reduce((sum, time) => sum + time, 0);
    },
    async close() {
      for (const child of children) child.disconnect();
    },
  };
}

/** Workers that do nothing but answer: what a message there and back costs. */
export async function startMessages(threads: number): Promise<Alternative> {
  const url = new URL("echo-worker.js", BUNDLE);
  const workers = Array.from({ length: threads }, () => new Worker(url, { execArgv: [] }));
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const ask = (worker: Worker) =>
    new Promise<void>((resolve) => {
      worker.once("message", resolve);
      worker.postMessage("do");
    });
  return {
    ...NO_CHILDREN,
    render: () => Promise.reject(new Error("bare workers render nothing")),
    nothing: (tasks) => Promise.all(workers.slice(0, tasks).map(ask)),
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}
