// What a published file imports, and whether it waits while it is loaded: read from its syntax tree.

import { parseAst } from "vite";

interface Node {
  type: string;
  source?: { value?: unknown } | null;
  await?: boolean;
}

const FUNCTIONS = /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;

/** The sources of all imports, static and dynamic. */
export function importsOf(code: string): string[] {
  return [...nodesOf(parseAst(code))]
    .filter(
      ({ type, source }) =>
        source && /^(?:Import(?:Declaration|Expression)|Export(?:Named|All)Declaration)$/.test(type),
    )
    .map(({ source }) => String(source?.value));
}

/** Whether it has an `await` outside all functions. */
export function awaitsAtTop(code: string): boolean {
  return [...nodesOf(parseAst(code), FUNCTIONS)].some((node) => node.type === "AwaitExpression" || node.await === true);
}

/** A tree's nodes, without those below nodes of the types `except`. */
function* nodesOf(value: unknown, except?: RegExp): Generator<Node> {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value && typeof value.type === "string") {
    if (except?.test(value.type)) return;
    yield value as Node;
  }
  for (const child of Object.values(value)) yield* nodesOf(child, except);
}
