// The address holds what is seen: "#scaling?samples=10". What is at its default is left out.

export const VIEWS = ["explore", "scaling", "counter"] as const;
export type View = (typeof VIEWS)[number];

export interface Address {
  view: View;
  parameters: URLSearchParams;
}

/** Reads a location's hash. Of what nobody knows it is the start. */
export function readAddress(hash: string): Address {
  const [name = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const view = VIEWS.find((each) => each === name) ?? "explore";
  return { view, parameters: new URLSearchParams(query) };
}

/** The hash of an address; `undefined` values are left out. */
export function writeAddress(view: View, parameters: Record<string, string | undefined>): string {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    // What stands in a hash as it is stays readable.
    value === undefined ? [] : [`${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`],
  );
  return `#${view}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

/** An integer of the address, or undefined if it is none, or out of range. */
export function integerOf(parameters: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const value = Number(parameters.get(name) ?? Number.NaN);
  return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
}

/** One of the words that are allowed, or undefined. */
export function wordOf<Word extends string>(
  parameters: URLSearchParams,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const value = parameters.get(name);
  return words.find((word) => word === value);
}
