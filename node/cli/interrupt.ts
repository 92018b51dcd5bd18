// Ctrl-C: the first time the work stops and what was measured is reported, the second time the program ends at once.

/** Why the work stopped. */
export class Interrupt extends Error {
  override readonly name = "Interrupt";
  /** 128 + the signal's number, as shells have it. */
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`interrupted by ${signal}`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}

/** A signal that aborts, with an `Interrupt` as its reason, when the program is asked to end. */
export function listenForInterrupts(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      const interrupt = new Interrupt(name);
      if (controller.signal.aborted) process.exit(interrupt.exitCode);
      controller.abort(interrupt);
    });
  }
  return controller.signal;
}
