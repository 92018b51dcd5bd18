// The least that a worker can do: it says that it is ready, and answers.

import { parentPort } from "node:worker_threads";

parentPort?.on("message", () => parentPort?.postMessage("done"));
parentPort?.postMessage("ready");
