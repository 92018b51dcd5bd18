// Bundles a suite into one file that any runtime, or a page, can run: `vitest` is replaced by harness.ts.

import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

const harness = fileURLToPath(new URL("harness.ts", import.meta.url));

const ENTRY = "virtual:suite";

type World = keyof typeof DOORS;

/** What a suite's `allcores` is. */
const DOORS = {
  node: { id: "../dist/node.js", external: "relative" },
  page: { id: "/dist/web.js", external: "absolute" },
} as const;

/** Bundles the suite test/NAME.ts, writes build/NAME.js, and returns its path. */
export function bundleSuite(name: string, world: World = "node"): Promise<string> {
  return bundle(
    name,
    world,
    `import { runSuite } from ${JSON.stringify(harness)};
    await runSuite(${JSON.stringify(name)}, () => import(${JSON.stringify(sourceOf(name))}));`,
  );
}

/** The same for a program, which may not import `vitest`. */
export function bundleProgram(name: string, world: World): Promise<string> {
  return bundle(name, world, `import ${JSON.stringify(sourceOf(name))};`);
}

function sourceOf(name: string): string {
  return fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
}

/**
 * What is published is not bundled but imported from dist/, as it is. A URL relative to `import.meta.url` means the
 * same in the bundle as in a suite right in test/, since both lie one folder below the root.
 */
async function bundle(name: string, world: World, entry: string): Promise<string> {
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    resolve: { alias: [{ find: /^vitest$/, replacement: harness }] },
    ssr: { noExternal: true },
    plugins: [
      {
        name: "allcores-suite",
        enforce: "pre",
        resolveId(source) {
          if (source === ENTRY) return source;
          if (source === "allcores") return DOORS[world];
          const published = /^(?:\.\.\/)+(dist\/.+)$/.exec(source)?.[1];
          return published === undefined ? null : { id: `../${published}`, external: "relative" };
        },
        load(id) {
          return id === ENTRY ? entry : null;
        },
      },
    ],
    build: {
      ssr: true,
      target: "node20",
      outDir: "build",
      emptyOutDir: false,
      minify: false,
      rolldownOptions: {
        input: ENTRY,
        output: { format: "es", entryFileNames: `${name}.js`, codeSplitting: false },
      },
    },
  });
  return fileURLToPath(new URL(`../../build/${name}.js`, import.meta.url));
}
