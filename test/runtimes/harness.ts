// Stands in for `vitest` where a suite runs without it: on another runtime, in one file. It is made of vitest's own
// parts, its runner and its assertions, so a suite means the same here and there.
//
// What happens is told in lines on the standard output: LINE, then an Event as JSON. run.ts reads them.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  addCustomEqualityTesters,
  ChaiStyleAssertions,
  chai,
  customMatchers,
  type ExpectStatic,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { getCurrentTest, startTests, type Task, type Test, type VitestRunner } from "@vitest/runner";
import { LINE, type SuiteEvent } from "./protocol.ts";

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from "@vitest/runner";

/** vitest's defaults, as its configuration in vite.config.ts has them. */
const TIMEOUT_MS = 30_000;

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(ChaiStyleAssertions);
chai.use(JestAsymmetricMatchers);

export const expect = createExpect();

/** As vitest does, but for snapshots, `expect.soft` and `expect.poll`. */
function createExpect(): ExpectStatic {
  const expect = ((value: unknown, message?: string) => {
    setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect);
    const assertion = chai.expect(value, message) as unknown as { withTest(test: Test): unknown };
    const test = getCurrentTest<Test | undefined>();
    return test ? assertion.withTest(test) : assertion;
  }) as unknown as ExpectStatic;
  const globals = globalThis as unknown as Record<symbol, object>;
  Object.assign(expect, chai.expect, globals[ASYMMETRIC_MATCHERS_OBJECT]);
  Object.assign(expect, {
    getState: () => getState(expect),
    setState: (state: object) => setState(state, expect),
    extend: (matchers: object) =>
      (chai.expect as unknown as { extend(...args: object[]): void }).extend(expect, matchers),
    addEqualityTesters: addCustomEqualityTesters,
    assert: chai.assert,
    unreachable: (message?: string) => chai.assert.fail(`expected${message ? ` "${message}" ` : " "}not to be reached`),
  });
  Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, writable: true, configurable: true });
  setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, expect);
  expect.extend(customMatchers as Parameters<ExpectStatic["extend"]>[0]);
  return expect;
}

/** Runs the tests that `load` imports, one after the other, and reports every one of them. */
export async function runSuite(name: string, load: () => Promise<unknown>): Promise<void> {
  const runner: VitestRunner = {
    config: {
      root: "/",
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { shuffle: false, concurrent: false, seed: 0, hooks: "stack", setupFiles: "list" },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: TIMEOUT_MS,
      hookTimeout: TIMEOUT_MS,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: load,
    onBeforeTryTask: (test) => setState({ assertionCalls: 0, currentTestName: test.name }, expect),
    onBeforeRunTask: (test) => report({ event: "begin", name: fullName(test) }),
    onAfterRunTask: (test) => report(outcome(test)),
  };
  // The runner's time limits do not keep a program alive, and nor does a test that waits for what never comes.
  const alive = setInterval(() => {}, 1000);
  const [file] = await startTests([`/${name}`], runner);
  clearInterval(alive);
  for (const task of file === undefined ? [] : [file, ...tasksIn(file)]) {
    const outside = task.type === "suite" && task.result?.errors?.length; // not in a test, but in a hook, say
    const notRun = task.type === "test" && (task.mode === "skip" || task.mode === "todo");
    if (outside || notRun) report(outcome(task));
  }
  report({ event: "end" });
}

function report(event: SuiteEvent): void {
  console.log(`${LINE}${JSON.stringify(event)}`);
}

function outcome(task: Task): SuiteEvent {
  const { result, mode } = task;
  const skipped = task.type === "test" && (mode === "skip" || mode === "todo");
  return {
    event: "test",
    name: fullName(task) || "the file",
    state: skipped ? "skipped" : result?.state === "pass" ? "passed" : "failed",
    milliseconds: result?.duration ?? 0,
    message: (result?.errors ?? [])
      .map(({ message, diff = "", stack = "" }) =>
        `${stack.includes(message) ? "" : message}\n${stack}\n${diff}`.trim(),
      )
      .join("\n\n"),
  };
}

/** The names of the groups that a test is in, and its own. */
function fullName(task: Task): string {
  const group = task.suite === undefined ? "" : fullName(task.suite);
  if (task.type === "suite" && "filepath" in task) return "";
  return group === "" ? task.name : `${group} > ${task.name}`;
}

/** All groups and tests in a group. */
function tasksIn(group: Task): Task[] {
  return group.type === "suite" ? group.tasks.flatMap((task) => [task, ...tasksIn(task)]) : [];
}
