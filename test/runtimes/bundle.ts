// Bundles the engine's suite into one file that any runtime can run: `vitest` is replaced by harness.ts.

import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

const ENTRY = "virtual:suite";

/** What a suite's `allcores` is. */
const DOORS = {
  node: { id: "../dist/node.js", external: "relative" },
  page: { id: "/dist/web.js", external: "absolute" },
} as const;

/**
 * Bundles the suite test/NAME.ts, writes build/NAME.js, and returns its path.
 *
 * What is published is not bundled but imported from dist/, as it is. A URL relative to `import.meta.url` means the
 * same in the bundle as in a suite right in test/, since both lie one folder below the root.
 */
export async function bundleSuite(name: string, world: keyof typeof DOORS = "node"): Promise<string> {
  const suite = fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
  const harness = fileURLToPath(new URL("harness.ts", import.meta.url));
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
          if (id !== ENTRY) return null;
          return `import { runSuite } from ${JSON.stringify(harness)};
            await runSuite(${JSON.stringify(name)}, () => import(${JSON.stringify(suite)}));`;
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
