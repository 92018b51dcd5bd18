import type { Problem, ProblemCode } from "./types.ts";

/** What can go wrong, by a code that stays the same from version to version. */
export type ErrorCode =
  /** An option is of the wrong type or out of range. Nothing was started. */
  | "E_ARGUMENT"
  /** The caller's signal aborted the job. `name` is "AbortError", `cause` the signal's reason. */
  | "E_ABORTED"
  /** The engine is closed, or was closed before the job ended. */
  | "E_CLOSED"
  /** What is in the way of an engine, or of a job: see {@link ProblemCode}. */
  | ErrorCodeOf<ProblemCode>
  /** The kernel trapped in a worker. */
  | "E_WORKER_TRAP"
  /** A worker's script threw. */
  | "E_WORKER_ERROR"
  /** A worker is gone: it was terminated, or left by itself. */
  | "E_WORKER_LOST";

/** `E_NOT_ISOLATED` of `not-isolated`. */
export type ErrorCodeOf<Code extends string> = `E_${Uppercase<Snake<Code>>}`;
type Snake<Code extends string> = Code extends `${infer Head}-${infer Tail}` ? `${Head}_${Snake<Tail>}` : Code;

/** The one class of error that the engine throws and rejects with. Branch on `code`. */
export class EngineError extends Error {
  /** What went wrong; see {@link ErrorCode}. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = code === "E_ABORTED" ? "AbortError" : "EngineError";
  }
}

/** Any thrown value as a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The error that is about a problem. */
export function errorOf({ code, message }: Problem, cause?: unknown): EngineError {
  const errorCode = `E_${code.replaceAll("-", "_").toUpperCase()}` as ErrorCodeOf<ProblemCode>;
  return new EngineError(errorCode, message, cause === undefined ? undefined : { cause });
}

/** The problem that an error of `createEngine` is about, in a sentence. */
export function problemOf({ code, message }: EngineError): Problem {
  const problem = code.slice(2).replaceAll("_", "-").toLowerCase() as ProblemCode;
  return {
    code: problem,
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`,
  };
}
