// Variables of the environment that make a test run longer, or again.

import { env } from "node:process";

/** A variable that holds a positive integer. */
export function integer(name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} expected a positive integer, got “${text}”`);
  return value;
}
