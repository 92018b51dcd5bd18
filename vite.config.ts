import { readFileSync } from "node:fs";
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
    server: { deps: { external: [/puppeteer-core/] } }, // not to be transformed, which takes seconds
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

/** `vite build --mode web`: what a page loads. The URLs beside it stay as they are written: bundlers look for them. */
const web = defineConfig({
  build: {
    ...build,
    target: "es2022",
    emptyOutDir: false,
    rolldownOptions: {
      input: { web: "web/index.ts", element: "web/element/index.ts" },
      output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "web-[name]-[hash].js" },
    },
  },
  ssr: { noExternal: true, target: "webworker" },
});

/** `vite build --mode web-worker`: one file that imports nothing. */
const webWorker = defineConfig({
  build: {
    ...build,
    target: "es2022",
    emptyOutDir: false,
    rolldownOptions: {
      input: { worker: "web/worker.ts" },
      output: { format: "es", entryFileNames: "[name].js", codeSplitting: false },
    },
  },
  ssr: { noExternal: true, target: "webworker" },
});

const configs = { worker, web, "web-worker": webWorker };

export default defineConfig(({ mode }) => configs[mode as keyof typeof configs] ?? modules);
