// The borders of the house, by what its files import: the kernel knows no host, the engine no platform.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** All imports of a folder's files, as "file → imported", paths from the root. */
function importsOf(folder: string): { from: string; to: string }[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => {
      const from = join(folder, name);
      const text = readFileSync(join(root, from), "utf8");
      return [...text.matchAll(/^(?:import|export)(?:[^;"]*?from)?\s+"([^"]+)";/gms)].map(([, specifier = ""]) => ({
        from,
        to: specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier,
      }));
    });
}

const isIn = (folder: string, path: string) => path.startsWith(`${folder}/`);

/** What serves pages, on Node; it is not in the package. */
const isServer = (path: string) => path === "web/server.ts" || path === "web/preview.ts";

describe("what files import", () => {
  test("the kernel imports only its own files, and layout.ts imports nothing", () => {
    const imports = importsOf("assembly");
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter(({ to }) => !isIn("assembly", to))).toEqual([]);
    expect(imports.filter(({ from }) => from === "assembly/layout.ts")).toEqual([]);
  });

  test("synchronisation knows nothing of what is computed, and computation touches no atomics", () => {
    const imports = importsOf("assembly");
    const computation = (path: string) => isIn("assembly/mandelbrot", path) || path === "assembly/counter";
    expect(imports.filter(({ from, to }) => isIn("assembly/sync", from) && computation(to))).toEqual([]);
    expect(imports.filter(({ from, to }) => isIn("assembly/mandelbrot", from) && to.endsWith("atomics"))).toEqual([]);
  });

  test("the engine imports its own files and the layout, and nothing of a platform; only the chart has libraries", () => {
    const strangers = importsOf("src").filter(({ to }) => !isIn("src", to) && to !== "assembly/layout.ts");
    expect(strangers.map(({ from, to }) => `${from}: ${to}`)).toEqual([
      "src/bench/chart.ts: d3-scale",
      "src/bench/chart.ts: d3-shape",
    ]);
  });

  test.each([
    ["node", "web"],
    ["web", "node"],
  ])(
    "the host in %s/ imports neither tests nor the host in %s/, nor more of the kernel than its layout",
    (own, other) => {
      const imports = importsOf(own).filter(({ from }) => !isServer(from));
      expect(imports.length).toBeGreaterThan(5);
      const strangers = imports.filter(
        ({ to }) => isIn("test", to) || isIn(other, to) || (isIn("assembly", to) && to !== "assembly/layout.ts"),
      );
      expect(strangers).toEqual([]);
    },
  );

  test("the package imports nothing of others in a page but the loader, which is bundled", () => {
    const published = importsOf("web").filter(({ from }) => !isServer(from) && !isIn("web/page", from));
    const strangers = published.filter(({ to }) => !/^(web|src|assembly)\//.test(to));
    expect(new Set(strangers.map(({ to }) => to))).toEqual(new Set(["@assemblyscript/loader"]));
  });
});
