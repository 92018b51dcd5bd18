import { defineConfig } from "vitest/config";

// The published JavaScript: one file an entry, everything that is not Node's own bundled in.
export default defineConfig({
  build: {
    ssr: true,
    target: "node20",
    outDir: "dist",
    emptyOutDir: false, // the kernels are there already
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
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/setup.ts",
    testTimeout: 30_000,
    retry: 0,
  },
});
