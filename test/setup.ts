// Runs once before all tests: they test what is published, so dist/ has to be there, and not older than its sources.

import { fileURLToPath } from "node:url";
import { ensureBuilt } from "../.ci/ensure-built.js";
import { withLock } from "./lock.ts";

export default async function setup(): Promise<void> {
  const lock = new URL("../node_modules/.cache/allcores/build.lock", import.meta.url);
  await withLock(fileURLToPath(lock), ensureBuilt);
}
