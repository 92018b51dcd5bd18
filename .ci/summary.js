// Prints the sum over all runners, alone on a line: vitest's own tests, those of the suite that it ran on each runtime, and
// the checks that failed. Exits with 1 if anything failed.

import { existsSync, readFileSync } from "node:fs";

const [report = "", failedSteps = "0"] = process.argv.slice(2);
const runtimes = "build/runtimes-report.json";

let passed = 0;
let failed = Number(failedSteps);
let skipped = 0;
if (existsSync(report)) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  passed += numPassedTests;
  failed += numFailedTests;
  skipped += numPendingTests + numTodoTests;
  if (!success && numFailedTests === 0) failed++;
} else {
  failed++;
}
if (existsSync(runtimes)) {
  for (const suite of JSON.parse(readFileSync(runtimes, "utf8"))) {
    passed += suite.passed;
    failed += suite.failed;
    skipped += suite.skipped;
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
