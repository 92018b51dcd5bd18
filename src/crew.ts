// The workers of a pool: started side by side, watched while they live, ended together. What they do is their pool's
// affair: pool.ts around one shared memory, isolated.ts with a memory each.

import { EngineError, type ErrorCode, messageOf } from "./errors.ts";
import type { Host, HostMessage, WorkerBoot, WorkerHandle, WorkerMessage } from "./host.ts";
import type { Job } from "./jobs.ts";
import type { JobResult } from "./types.ts";

/** What an engine runs its jobs on: workers, one job at a time. A pool in which a worker failed is broken for good. */
export interface Pool {
  /** Why no job can run here any more, or undefined. */
  readonly failure: EngineError | undefined;
  /** Workers that trapped, threw or got lost. */
  readonly lost: number;
  /** Rescues of all workers while parked, over the life of the pool. */
  readonly parkRescues: number;
  /** Milliseconds within which workers must have left a job that is to stop. Beyond it they are taken for hung. */
  readonly stopDeadline: number;
  /**
   * Runs a job, and resolves with its result. `ended` is called when no worker is in the job any more, before the
   * result is read; what it throws, the job rejects with. A job in the background does not keep the program alive.
   */
  run<Result extends JobResult>(job: Job<Result>, ended: () => void, inBackground?: boolean): Promise<Result>;
  /** Whether a new pool's memory could hold this job's result, and this one's cannot. */
  isTooSmallFor(job: Job<JobResult>): boolean;
  /** Keeps the program alive, or not. A job does so while it runs, unless it is in the background. */
  keepAlive(on: boolean): void;
  /** Asks the workers to leave the running job soon. It ends as if it were done. */
  stop(): void;
  /** Units of work of the running job that are done. */
  progress(): number;
  /** Breaks the pool: the running job rejects with `error`, and the workers are to leave. */
  abandon(error: EngineError): void;
  /**
   * Ends the workers, by force if they do not leave by themselves. Resolves when they are gone, or cannot be ended.
   * Every call returns the same promise.
   */
  close(): Promise<void>;
}

/** Milliseconds that workers are given to leave by themselves, and then to be ended by force. */
const CLOSE_GRACE = 2_000;

interface CrewWorker {
  handle: WorkerHandle | undefined;
  state: "starting" | "ready" | "gone";
}

/** What a crew tells its pool. */
export interface CrewEvents {
  /** A worker says something about a job. */
  message(thread: number, message: WorkerMessage): void;
  /** The crew is broken. Called once. */
  failed(error: EngineError): void;
  /** The workers are to leave. */
  leave(): void;
}

export class Crew {
  readonly #host: Host;
  readonly #events: CrewEvents;
  readonly #workers: CrewWorker[] = [];
  readonly #lost = new Set<number>();
  #failure: EngineError | undefined;
  #closed: Promise<void> | undefined;
  /** Set before anybody is told to leave: some platforms report a worker's end before `terminate` returns. */
  #leaving = false;
  #onStarted: (() => void) | undefined;
  #onGone: (() => void) | undefined;

  constructor(host: Host, events: CrewEvents) {
    this.#host = host;
    this.#events = events;
  }

  /** Starts `threads` workers side by side. Rejects, with none left, if one of them does not start in time. */
  async start(threads: number, timeout: number, boot: Omit<WorkerBoot, "thread" | "timeOrigin">): Promise<void> {
    const deadline = this.#host.after(timeout, () => {
      const ready = this.#workers.filter((worker) => worker.state === "ready").length;
      this.fail(
        new EngineError(
          "E_WORKER_START",
          `${ready} of ${threads} workers were ready after ${timeout} ms: ` +
            "start fewer threads, or give them more time with startTimeout",
        ),
      );
    });
    const started = new Promise<void>((resolve) => {
      this.#onStarted = resolve;
    });
    for (let thread = 0; thread < threads && this.#failure === undefined; thread++) {
      this.#spawn({ ...boot, thread, timeOrigin: this.#host.timeOrigin });
    }
    await started;
    deadline.cancel();
    if (this.#failure !== undefined) {
      await this.close();
      throw this.#failure;
    }
    for (const worker of this.#workers) worker.handle?.keepAlive(false);
  }

  get failure(): EngineError | undefined {
    return this.#failure;
  }

  get lost(): number {
    return this.#lost.size;
  }

  get size(): number {
    return this.#workers.length;
  }

  /**
   * Keeps the program alive while a job runs. One worker does it for all of them: if it dies, the job ends as well.
   * No effect once the crew is closed, which keeps the program alive until the workers are gone.
   */
  keepAlive(on: boolean): void {
    if (!this.#leaving) this.#workers[0]?.handle?.keepAlive(on);
  }

  post(thread: number, message: HostMessage): void {
    this.#workers[thread]?.handle?.post(message);
  }

  /** Breaks the crew. The first failure counts; what follows from it does not. */
  fail(error: EngineError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#onStarted?.();
    this.#events.failed(error);
  }

  /** Ends all workers by force. */
  terminate(): void {
    for (const worker of this.#workers) if (worker.state !== "gone") worker.handle?.terminate();
  }

  /** See {@link Pool.close}. */
  close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #leave(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    this.#leaving = true;
    this.#events.leave();
    for (const worker of this.#workers) {
      worker.handle?.keepAlive(true);
      // Whoever has not instantiated the kernel yet cannot hear.
      if (worker.state === "starting") worker.handle?.terminate();
    }
    const force = this.#host.after(CLOSE_GRACE, () => this.terminate());
    const giveUp = this.#host.after(2 * CLOSE_GRACE, () => {
      for (const worker of this.#workers) worker.handle?.keepAlive(false);
      this.#onGone?.();
    });
    if (this.#allGone()) this.#onGone?.();
    await gone;
    force.cancel();
    giveUp.cancel();
  }

  #spawn(boot: WorkerBoot): void {
    const { thread } = boot;
    const worker: CrewWorker = { handle: undefined, state: "starting" };
    this.#workers.push(worker);
    try {
      worker.handle = this.#host.spawn(boot, {
        message: (message) => this.#hear(thread, worker, message),
        error: (error) => {
          const starting = worker.state === "starting";
          this.#lose(
            thread,
            asEngineError(
              error,
              starting ? "E_WORKER_START" : "E_WORKER_ERROR",
              `worker ${thread} ${starting ? "did not start" : "threw"}`,
            ),
          );
        },
        exit: () => {
          const code = worker.state === "starting" ? "E_WORKER_START" : "E_WORKER_LOST";
          const what = worker.state === "starting" ? "left before it was ready" : "is gone: it was ended, or left";
          worker.state = "gone";
          if (this.#allGone()) this.#onGone?.();
          this.#lose(thread, new EngineError(code, `worker ${thread} ${what}`));
        },
      });
    } catch (error) {
      worker.state = "gone";
      this.#lose(thread, asEngineError(error, "E_WORKER_START", `worker ${thread} could not be created`));
    }
  }

  #hear(thread: number, worker: CrewWorker, message: WorkerMessage): void {
    switch (message?.type) {
      case "allcores:ready":
        if (worker.state !== "starting") return;
        worker.state = "ready";
        if (this.#workers.every(({ state }) => state === "ready")) this.#onStarted?.();
        return;
      case "allcores:failed": {
        const starting = worker.state === "starting";
        const code = starting ? "E_WORKER_START" : message.trap ? "E_WORKER_TRAP" : "E_WORKER_ERROR";
        const what = starting ? "did not start" : message.trap ? "trapped in the kernel" : "threw";
        this.#lose(thread, new EngineError(code, `worker ${thread} ${what}: ${message.message}`));
        return;
      }
      case "allcores:end":
      case "allcores:part":
        this.#events.message(thread, message);
        return;
      default: // not one of ours
    }
  }

  #lose(thread: number, error: EngineError): void {
    if (this.#leaving) return;
    this.#lost.add(thread);
    this.fail(error);
  }

  #allGone(): boolean {
    return this.#workers.every(({ state }) => state === "gone");
  }
}

/** What a host reports: either it says itself what is the matter, or this does. */
function asEngineError(error: unknown, code: ErrorCode, what: string): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError(code, `${what}: ${messageOf(error)}`, { cause: error });
}
