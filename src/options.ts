// Options are read once, checked once, and copied: what a caller's object does later makes no difference.
// One grammar of errors: "name" expected what, got value.

import { EngineError, messageOf } from "./errors.ts";

/** The options as they were read: each property once. */
export type Raw = Readonly<Record<string, unknown>>;

/** A value as an error message shows it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Refuses an argument: `"threads" expected an integer from 1 to 256, got 0`. */
export function refuse(name: string, expected: string, value: unknown): never {
  throw new EngineError("E_ARGUMENT", `"${name}" expected ${expected}, got ${show(value)}`);
}

/** Reads the properties `names` of `source`, each once. Anything else in it is refused, since it is a typing error. */
export function readOptions(what: string, source: unknown, names: readonly string[]): Raw {
  if (source === undefined) return {};
  if (typeof source !== "object" || source === null) refuse(what, "an object", source);
  const raw: Record<string, unknown> = {};
  try {
    const stranger = Object.keys(source).find((key) => !names.includes(key));
    if (stranger !== undefined) {
      throw new EngineError("E_ARGUMENT", `"${stranger}" is not among the ${what}: ${names.join(", ")}`);
    }
    for (const name of names) raw[name] = (source as Record<string, unknown>)[name];
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError("E_ARGUMENT", `the ${what} could not be read: ${messageOf(error)}`, { cause: error });
  }
  return raw;
}

export function integer(raw: Raw, name: string, min: number, max: number, fallback: number): number {
  const value = raw[name];
  if (value === undefined) return fallback;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    refuse(name, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

export function oneOf<T extends string>(raw: Raw, name: string, values: readonly T[], fallback: T): T {
  const value = raw[name];
  if (value === undefined) return fallback;
  if (!values.includes(value as T)) refuse(name, values.map((v) => JSON.stringify(v)).join(" or "), value);
  return value as T;
}

export function boolean(raw: Raw, name: string, fallback: boolean): boolean {
  const value = raw[name];
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") refuse(name, "true or false", value);
  return value;
}

/** A finite number; `path` is the name that the error shows. */
export function finite(raw: Raw, name: string, path: string): number {
  const value = raw[name];
  if (typeof value !== "number" || !Number.isFinite(value)) refuse(path, "a finite number", value);
  return value;
}

/** A function, or undefined. */
export function callback<T>(raw: Raw, name: string): T | undefined {
  const value = raw[name];
  if (value !== undefined && typeof value !== "function") refuse(name, "a function", value);
  return value as T | undefined;
}
