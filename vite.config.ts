import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const KERNELS = ["kernel.wasm", "kernel-scalar.wasm", "kernel-serial.wasm"];

// The published JavaScript: one file an entry, everything that is not Node's own bundled in.
export default defineConfig({
  build: {
    ssr: true,
    target: "node20",
    outDir: "dist",
    emptyOutDir: true,
    minify: false,
    rolldownOptions: {
      input: {
        node: "node/index.ts",
        "node-worker": "node/worker.ts",
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
