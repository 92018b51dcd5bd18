// Bundles the benchmark and everything that it starts: Node 20 runs no TypeScript by itself.

import { defineConfig } from "vite";

export default defineConfig({
  build: {
    ssr: true,
    target: "node20",
    outDir: "build/bench",
    emptyOutDir: false, // the AssemblyScript is there already
    minify: false,
    rolldownOptions: {
      input: {
        peers: "test/bench/peers.ts",
        "one-thread-worker": "test/bench/contenders/one-thread-worker.ts",
        "alternative-process": "test/bench/alternatives/process.ts",
        "band-piscina": "test/bench/alternatives/band-piscina.ts",
        "band-tinypool": "test/bench/alternatives/band-tinypool.ts",
        "band-workerpool": "test/bench/alternatives/band-workerpool.ts",
        "band-process": "test/bench/alternatives/band-process.ts",
        "echo-worker": "test/bench/alternatives/echo-worker.ts",
        "cold-process": "test/bench/cold-process.ts",
      },
      output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "shared-[name].js" },
    },
  },
});
