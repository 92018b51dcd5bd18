import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const KERNELS = ["kernel.wasm", "kernel-scalar.wasm", "kernel-serial.wasm"];

/** What all of the published JavaScript has in common: everything that is not Node's own is bundled in. */
const build = { ssr: true, target: "node20", outDir: "dist", minify: false } as const;

/** `vite build`: one ES module an entry. */
const modules = defineConfig({
  build: {
    ...build,
    emptyOutDir: true,
    rolldownOptions: {
      input: {
        node: "node/index.ts",
        "node-serial": "node/serial.ts",
        cli: "node/cli.ts",
        layout: "assembly/layout.ts",
      },
      output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
    },
  },
  ssr: { noExternal: true },
  plugins: [
    {
      name: "allcores-kernels",
      generateBundle() {
        for (const fileName of KERNELS) {
          this.emitFile({ type: "asset", fileName, source: readFileSync(`build/${fileName}`) });
        }
      },
    },
  ],
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/setup.ts",
    fileParallelism: false, // the engine's tests take all cores
    testTimeout: 30_000,
    retry: 0,
  },
});

/** `vite build --mode worker`: one CommonJS file, because a thread loads that a fifth faster than an ES module. */
const worker = defineConfig({
  build: {
    ...build,
    emptyOutDir: false,
    rolldownOptions: {
      input: { "node-worker": "node/worker.ts" },
      output: { format: "cjs", entryFileNames: "[name].cjs", codeSplitting: false },
    },
  },
  ssr: { noExternal: true },
});

/** What pages load: no build of it may replace the URLs in it, because bundlers look for them as they are written. */
const page = {
  ...build,
  target: "es2022",
  emptyOutDir: false,
} as const;

const pageSsr = { noExternal: true, target: "webworker" } as const;

/** `vite build --mode web`. The kernels' hashes go with the script, so that it notices others. */
const web = () =>
  defineConfig({
    define: {
      KERNEL_INTEGRITY: JSON.stringify({ simd: integrityOf("kernel.wasm"), scalar: integrityOf("kernel-scalar.wasm") }),
    },
    build: {
      ...page,
      rolldownOptions: {
        input: { web: "web/index.ts" },
        output: { format: "es", entryFileNames: "[name].js", codeSplitting: false },
      },
    },
    ssr: pageSsr,
  });

/**
 * `vite build --mode element`: a file beside web.js, whose engine, and class of errors, it uses. Built together the two would
 * share a third file, and the URLs be there, where nobody looks for them.
 */
const element = () =>
  defineConfig({
    build: {
      ...page,
      rolldownOptions: {
        input: { element: "web/element/index.ts" },
        output: { format: "es", entryFileNames: "[name].js", codeSplitting: false },
      },
    },
    ssr: pageSsr,
    plugins: [
      {
        name: "allcores-element",
        enforce: "pre",
        resolveId(source, importer) {
          if (importer === undefined) return;
          if (source === "../index.ts" || source === "./web.js") return { id: "./web.js", external: true };
          if (source.endsWith("/errors.ts") && importer !== ERRORS) return ERRORS;
        },
        load(id) {
          if (id !== ERRORS) return;
          return `export { EngineError } from "./web.js"; export { messageOf } from ${JSON.stringify(resolve("src/errors.ts"))};`;
        },
      },
    ],
  });

const ERRORS = "\0allcores:errors";

/** `vite build --mode web-worker`: one file that imports nothing. */
const webWorker = () =>
  defineConfig({
    build: {
      ...page,
      rolldownOptions: {
        input: { worker: "web/worker.ts" },
        output: { format: "es", entryFileNames: "[name].js", codeSplitting: false },
      },
    },
    ssr: pageSsr,
  });

/** `vite build --mode inline`, after `web-worker`: one file for all. */
const inline = () =>
  defineConfig({
    define: {
      EMBEDDED_WORKER: JSON.stringify(readFileSync("dist/worker.js", "utf8")),
      EMBEDDED_KERNELS: JSON.stringify({ simd: dataUrlOf("kernel.wasm"), scalar: dataUrlOf("kernel-scalar.wasm") }),
    },
    build: {
      ...page,
      rolldownOptions: {
        input: { inline: "web/inline.ts" },
        output: { format: "es", entryFileNames: "[name].js", codeSplitting: false },
      },
    },
    ssr: pageSsr,
  });

function integrityOf(kernel: string): string {
  return `sha256-${createHash("sha256")
    .update(readFileSync(`build/${kernel}`))
    .digest("base64")}`;
}

function dataUrlOf(kernel: string): string {
  return `data:application/wasm;base64,${readFileSync(`build/${kernel}`, "base64")}`;
}

const configs = { worker: () => worker, web, element, "web-worker": webWorker, inline };

export default defineConfig(({ mode }) => configs[mode as keyof typeof configs]?.() ?? modules);
