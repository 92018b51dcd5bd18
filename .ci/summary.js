// Prints the sum over all runners, alone on a line: vitest's own tests, those of the suites that it ran on each runtime and
// in each browser, and the checks that failed. Exits with 1 if anything failed.

import { existsSync, readFileSync } from "node:fs";

const [report = "", failedSteps = "0"] = process.argv.slice(2);
const suites = ["build/runtimes-report.json", "build/browsers-report.json"];

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
for (const path of suites) {
  if (!existsSync(path)) continue;
  for (const suite of JSON.parse(readFileSync(path, "utf8"))) {
    passed += suite.passed;
    failed += suite.failed;
    skipped += suite.skipped;
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
