// Runs a TypeScript program of this project, without building it first: node .ci/run-ts.js PROGRAM [its parameters]

import { resolve } from "node:path";
import { runnerImport } from "vite";

const [, , program] = process.argv;
if (program === undefined) throw new Error("run-ts.js expects the path of a program");
await runnerImport(resolve(program), { configFile: false, logLevel: "error" });
