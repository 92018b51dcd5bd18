import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CoreReport, readCores } from "../node/cores.ts";

const scratch = mkdtempSync(join(tmpdir(), "allcores-cores-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The name of the control group that the tests of this machine make. */
const GROUP = `allcores-test-${process.pid}`;

/** Makes a folder to take for "/", with these files in it. */
function machine(files: Record<string, string>): string {
  const root = mkdtempSync(join(scratch, "root-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** What is reported on a machine with 8 processors and these files. */
function report(files: Record<string, string>): CoreReport {
  return readCores({ root: machine(files), parallelism: 8 });
}

/** The line of a cgroup mount, as the kernel writes it. */
function mount(version: 1 | 2, root = "/", point = version === 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu"): string {
  const system = version === 2 ? "cgroup2 cgroup2 rw,nsdelegate" : "cgroup cgroup rw,cpu,cpuacct";
  return `32 31 0:29 ${root} ${point} rw,nosuid,relatime shared:9 - ${system}\n`;
}

/** A machine with cgroups version 2 whose process is in `path`. */
function v2(path: string, files: Record<string, string>): Record<string, string> {
  return { "/proc/self/cgroup": `0::${path}\n`, "/proc/self/mountinfo": mount(2), ...files };
}

/** The same with version 1. */
function v1(path: string, files: Record<string, string>): Record<string, string> {
  const cgroup = `9:memory:/elsewhere\n4:cpu,cpuacct:${path}\n1:name=systemd:/elsewhere\n`;
  return { "/proc/self/cgroup": cgroup, "/proc/self/mountinfo": mount(1), ...files };
}

function v1Quota(directory: string, quota: number, period = 100000): Record<string, string> {
  return { [`${directory}/cpu.cfs_quota_us`]: `${quota}\n`, [`${directory}/cpu.cfs_period_us`]: `${period}\n` };
}

const UNLIMITED = { quota: null, quotaSource: null, usable: 8, throttled: null };

describe("the quota of cgroups version 2", () => {
  test("is found on the process's own group", () => {
    const files = v2("/docker/x", { "/sys/fs/cgroup/docker/x/cpu.max": "150000 100000\n" });
    expect(report(files)).toMatchObject({ quota: 1.5, quotaSource: "cgroup v2 /docker/x cpu.max", usable: 2 });
  });

  test("is found on a group above, past folders that have no such file", () => {
    const files = v2("/a/b/c", { "/sys/fs/cgroup/a/cpu.max": "300000 100000\n" });
    expect(report(files)).toMatchObject({ quota: 3, quotaSource: "cgroup v2 /a cpu.max", usable: 3 });
  });

  test("is the lowest of all levels, whichever level that is", () => {
    const above = v2("/a/b", { "/sys/fs/cgroup/a/cpu.max": "100000 50000", "/sys/fs/cgroup/a/b/cpu.max": "9 1" });
    expect(report(above)).toMatchObject({ quota: 2, quotaSource: "cgroup v2 /a cpu.max" });
    const own = v2("/a/b", { "/sys/fs/cgroup/a/cpu.max": "9 1", "/sys/fs/cgroup/a/b/cpu.max": "100000 50000" });
    expect(report(own)).toMatchObject({ quota: 2, quotaSource: "cgroup v2 /a/b cpu.max" });
  });

  test("is named after the innermost of equal levels", () => {
    const files = v2("/a/b", { "/sys/fs/cgroup/a/cpu.max": "2 1", "/sys/fs/cgroup/a/b/cpu.max": "2 1" });
    expect(report(files).quotaSource).toBe("cgroup v2 /a/b cpu.max");
  });

  test("does not exist where all levels say max", () => {
    const files = { "/sys/fs/cgroup/a/cpu.max": "max 100000\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" };
    expect(report(v2("/a", files))).toMatchObject(UNLIMITED);
  });

  test("is found at the mount point in a container that sees itself as the top", () => {
    const files = v2("/", { "/sys/fs/cgroup/cpu.max": "50000 100000\n" });
    expect(report(files)).toMatchObject({ quota: 0.5, quotaSource: "cgroup v2 / cpu.max", usable: 1 });
  });

  test("is found below a mount point whose name has a space in it", () => {
    const files = v2("/a", { "/mnt/c g/a/cpu.max": "200000 100000\n" });
    files["/proc/self/mountinfo"] = mount(2, "/", "/mnt/c\\040g");
    expect(report(files).quota).toBe(2);
  });
});

describe("the quota of cgroups version 1", () => {
  test("is found on the process's own group", () => {
    const files = v1("/docker/x", v1Quota("/sys/fs/cgroup/cpu/docker/x", 250000));
    expect(report(files)).toMatchObject({ quota: 2.5, quotaSource: "cgroup v1 /docker/x cpu.cfs_quota_us", usable: 3 });
  });

  test("is found on a group above", () => {
    const own = v1Quota("/sys/fs/cgroup/cpu/a/b", -1);
    const files = v1("/a/b", { ...own, ...v1Quota("/sys/fs/cgroup/cpu/a", 20000, 10000) });
    expect(report(files)).toMatchObject({ quota: 2, quotaSource: "cgroup v1 /a cpu.cfs_quota_us" });
  });

  test("does not exist where the file says -1", () => {
    expect(report(v1("/a", v1Quota("/sys/fs/cgroup/cpu/a", -1)))).toMatchObject(UNLIMITED);
  });

  test("is not taken from the mount of another controller", () => {
    const files = v1("/a", v1Quota("/sys/fs/cgroup/cpuset/a", 100000));
    files["/proc/self/mountinfo"] = "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";
    expect(report(files)).toMatchObject(UNLIMITED);
  });
});

describe("mounts and namespaces", () => {
  const hybrid = {
    "/proc/self/cgroup": "4:cpu:/one\n0::/two\n",
    "/proc/self/mountinfo": mount(1) + mount(2, "/", "/sys/fs/cgroup/unified"),
  };

  test("a hybrid system's quota is found in the hierarchy that has the controller", () => {
    const files = { ...hybrid, ...v1Quota("/sys/fs/cgroup/cpu/one", 300000) };
    expect(report(files)).toMatchObject({ quota: 3, quotaSource: "cgroup v1 /one cpu.cfs_quota_us" });
  });

  test("a hybrid system's lowest quota counts, should both hierarchies have one", () => {
    const quotas = { "/sys/fs/cgroup/unified/two/cpu.max": "2 1", ...v1Quota("/sys/fs/cgroup/cpu/one", 300000) };
    expect(report({ ...hybrid, ...quotas })).toMatchObject({ quota: 2, quotaSource: "cgroup v2 /two cpu.max" });
  });

  test.each([1, 2] as const)(
    "a container's group that is itself the root of the mount is found, version %d",
    (version) => {
      const quota = version === 2 ? { "/sys/fs/cgroup/cpu.max": "2 1" } : v1Quota("/sys/fs/cgroup/cpu", 200000);
      const files = (version === 2 ? v2 : v1)("/docker/x", quota);
      files["/proc/self/mountinfo"] = mount(version, "/docker/x");
      const file = version === 2 ? "cpu.max" : "cpu.cfs_quota_us";
      expect(report(files)).toMatchObject({ quota: 2, quotaSource: `cgroup v${version} /docker/x ${file}` });
    },
  );

  test("a group below a container's is found relative to the mount's root", () => {
    const files = v2("/docker/x/job", { "/sys/fs/cgroup/job/cpu.max": "2 1" });
    files["/proc/self/mountinfo"] = mount(2, "/docker/x");
    expect(report(files)).toMatchObject({ quota: 2, quotaSource: "cgroup v2 /docker/x/job cpu.max" });
  });

  test("a name that only begins like the mount's root is not below it", () => {
    const files = v2("/docker/xy", { "/sys/fs/cgroup/y/cpu.max": "2 1", "/sys/fs/cgroup/cpu.max": "3 1" });
    files["/proc/self/mountinfo"] = mount(2, "/docker/x");
    expect(report(files)).toMatchObject({ quota: 3, quotaSource: "cgroup v2 /docker/x cpu.max" });
  });

  test("a path that leads out of the mount is not followed", () => {
    const files = v2("/../other", { "/sys/fs/other/cpu.max": "2 1", "/sys/fs/cgroup/cpu.max": "3 1" });
    expect(report(files)).toMatchObject({ quota: 3 });
  });

  test("of several mounts the one that shows the most groups above is read", () => {
    const quotas = { "/inner/cpu.max": "3 1", "/sys/fs/cgroup/a/cpu.max": "2 1", "/sys/fs/cgroup/a/b/cpu.max": "3 1" };
    const files = v2("/a/b", quotas);
    files["/proc/self/mountinfo"] = mount(2, "/other", "/foreign") + mount(2, "/a/b", "/inner") + mount(2);
    expect(report(files)).toMatchObject({ quota: 2, quotaSource: "cgroup v2 /a cpu.max" });
  });
});

describe("usable cores", () => {
  test.each([
    { quota: 0.5, usable: [1, 1, 1] },
    { quota: 1, usable: [1, 1, 1] },
    { quota: 1.5, usable: [1, 2, 2] },
    { quota: 2, usable: [1, 2, 2] },
    { quota: 2.25, usable: [1, 2, 3] },
    { quota: 64, usable: [1, 2, 8] },
  ])("of a quota of $quota are $usable with 1, 2 and 8 processors", ({ quota, usable }) => {
    const root = machine(v2("/", { "/sys/fs/cgroup/cpu.max": `${quota * 100000} 100000` }));
    expect([1, 2, 8].map((parallelism) => readCores({ root, parallelism }).usable)).toEqual(usable);
  });

  test("are all that the runtime names where nothing can be read", () => {
    const missing = join(scratch, "missing");
    expect(readCores({ root: missing, parallelism: 8 })).toMatchObject({ affinity: 8, ...UNLIMITED });
    expect(readCores({ root: missing, parallelism: 0 })).toMatchObject({ affinity: 1, usable: 1 });
  });
});

describe("affinity", () => {
  const ONLINE = { "/sys/devices/system/cpu/online": "0-7\n" };
  const allow = (list: string) => ({
    "/proc/self/status": `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\n`,
  });

  test.each([
    ["3", 1],
    ["0-1", 2],
    ["0,2-4,7", 5],
    ["0-63", 8],
    ["9", 1],
  ])("of the list %s on 8 processors is %d", (list, affinity) => {
    expect(report({ ...ONLINE, ...allow(list) }).affinity).toBe(affinity);
  });

  // Deno and Bun name 1 for 1.5 cores: the quota's part of that must not pass for a mask.
  test("is the mask's even where the runtime names fewer, having rounded a quota down", () => {
    const root = machine({ ...ONLINE, ...allow("0-1"), ...v2("/", { "/sys/fs/cgroup/cpu.max": "150000 100000" }) });
    expect(readCores({ root, parallelism: 1 })).toMatchObject({ affinity: 2, quota: 1.5, usable: 2 });
  });

  test("is not more than the machine's processors where the list of those online cannot be read", () => {
    expect(report(allow("0-4095")).affinity).toBe(Math.max(1, cpus().length));
  });

  test.each(["", "x", "1-", "-3", "0-99999999999", "3-1", "0,,1"])(
    "falls back to the runtime's for the list %j",
    (list) => {
      expect(report({ ...ONLINE, ...allow(list) }).affinity).toBe(8);
    },
  );
});

describe("throttling", () => {
  test("of version 2 is counted in microseconds", () => {
    const stat = "usage_usec 9\nnr_periods 40\nnr_throttled 10\nthrottled_usec 1500\n";
    const files = v2("/a", { "/sys/fs/cgroup/a/cpu.max": "2 1", "/sys/fs/cgroup/a/cpu.stat": stat });
    expect(report(files).throttled).toEqual({ periods: 40, throttledPeriods: 10, throttledMs: 1.5 });
  });

  test("of version 1 is counted in nanoseconds", () => {
    const stat = { "/sys/fs/cgroup/cpu/a/cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_time 1500000\n" };
    const files = v1("/a", { ...v1Quota("/sys/fs/cgroup/cpu/a", 200000), ...stat });
    expect(report(files).throttled).toEqual({ periods: 40, throttledPeriods: 10, throttledMs: 1.5 });
  });

  test("is that of the level which was throttled most", () => {
    const stat = (throttled: number) => `nr_periods 40\nnr_throttled ${throttled}\nthrottled_usec 0\n`;
    const quotas = { "/sys/fs/cgroup/a/cpu.max": "3 1", "/sys/fs/cgroup/a/b/cpu.max": "2 1" };
    const stats = { "/sys/fs/cgroup/a/cpu.stat": stat(7), "/sys/fs/cgroup/a/b/cpu.stat": stat(0) };
    expect(report(v2("/a/b", { ...quotas, ...stats })).throttled?.throttledPeriods).toBe(7);
  });

  test.each(["", "nr_periods x\nnr_throttled 1\nthrottled_usec 1", "nr_periods 5"])("is unknown from %j", (stat) => {
    const files = v2("/", { "/sys/fs/cgroup/cpu.max": "2 1", "/sys/fs/cgroup/cpu.stat": stat });
    expect(report(files)).toMatchObject({ quota: 2, throttled: null });
  });
});

describe("malformed files", () => {
  test.each(["", "\n", "max", "150000", "1.5 1", "-1 100000", "0 100000", "100000 0", "1 2 3", "NaN 1"])(
    "a cpu.max of %j is no quota",
    (text) => {
      expect(report(v2("/", { "/sys/fs/cgroup/cpu.max": text }))).toMatchObject(UNLIMITED);
    },
  );

  test("a malformed level does not hide the one above", () => {
    const files = { "/sys/fs/cgroup/a/b/cpu.max": "?", "/sys/fs/cgroup/a/cpu.max": "2 1" };
    expect(report(v2("/a/b", files))).toMatchObject({ quota: 2 });
  });

  test("nothing that /proc could say makes it throw, or report fewer than one core or more than the affinity", () => {
    const token = fc.constantFrom(
      "0",
      "9",
      "max",
      "cpu",
      "cgroup",
      "cgroup2",
      "/",
      "..",
      "-",
      " - ",
      ":",
      "::",
      " ",
      "\n",
      "\\040",
    );
    const text = fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join(""));
    const files = fc.record({
      "/proc/self/cgroup": text.map((tail) => `0::/${tail}`),
      "/proc/self/mountinfo": text.map((tail) => mount(2) + tail),
      "/proc/self/status": text.map((tail) => `Cpus_allowed_list:\t${tail}`),
      "/sys/fs/cgroup/cpu.max": text,
      "/sys/fs/cgroup/cpu.stat": text.map((tail) => `nr_periods ${tail}`),
    });
    const holds = (each: Record<string, string>) => {
      const { affinity, quota, usable } = report(each);
      expect(usable).toBeGreaterThanOrEqual(1);
      expect(usable).toBeLessThanOrEqual(affinity);
      expect(quota === null || quota > 0).toBe(true);
    };
    fc.assert(fc.property(files, holds), { numRuns: 200 });
  });
});

describe("this machine", () => {
  const script = join(scratch, "cores.mjs");
  const ownCpu = readStatus(/^Cpus_allowed_list:\s*(\d+)/m);
  const noTaskset = ownCpu === null || !succeeds(() => execFileSync("taskset", ["--version"]));
  const noGroup = !succeeds(() => withGroup(1, () => {}));

  beforeAll(async () => {
    const root = fileURLToPath(new URL("..", import.meta.url));
    const rolldownOptions = { output: { entryFileNames: "cores.mjs" } };
    const ssr = "node/cores.ts";
    await build({
      root,
      configFile: false,
      logLevel: "error",
      build: { ssr, outDir: scratch, emptyOutDir: false, rolldownOptions },
    });
  });

  /** Runs `node` on a program that sees `readCores` and prints JSON, by way of the command line `before` it. */
  function child(before: string[], program: string): CoreReport {
    const source = `import { readCores } from ${JSON.stringify(pathToFileURL(script).href)};\n${program}`;
    const [file = "", ...args] = [...before, process.execPath, "--input-type=module", "-e", source];
    return JSON.parse(execFileSync(file, args, { encoding: "utf8" }));
  }

  const enter = (group: string) => ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', group];
  const PRINT = "console.log(JSON.stringify(readCores()));";

  test("has at least one core, and a process has no more of it than there are", () => {
    const { logical, affinity, usable } = readCores();
    expect(logical).toBe(cpus().length);
    expect(affinity).toBeLessThanOrEqual(logical);
    expect(affinity).toBeGreaterThanOrEqual(availableParallelism());
    expect(usable).toBeGreaterThanOrEqual(1);
    expect(usable).toBeLessThanOrEqual(affinity);
  });

  test.skipIf(noTaskset)(`gives a process under taskset one core${reason(noTaskset, "no taskset here")}`, () => {
    expect(child(["taskset", "-c", `${ownCpu}`], PRINT)).toMatchObject({ affinity: 1, usable: 1 });
  });

  test.skipIf(noGroup)(
    `gives a process in a group of 1 core that quota${reason(noGroup, "no group can be made")}`,
    () => {
      withGroup(1, (group) => {
        const { affinity, quota, quotaSource, usable } = child(enter(group), PRINT);
        expect({ affinity, quota, usable }).toEqual({ affinity: readCores().affinity, quota: 1, usable: 1 });
        expect(quotaSource).toContain(GROUP);
      });
    },
  );

  test.skipIf(noGroup)(`counts how often a busy process was stopped${reason(noGroup, "no group can be made")}`, () => {
    const untilThrottled = `let cores;
      do cores = readCores(); while (!cores.throttled?.throttledPeriods && performance.now() < 10000);
      console.log(JSON.stringify(cores));`;
    withGroup(0.5, (group) => {
      const { quota, throttled } = child(enter(group), untilThrottled);
      expect(quota).toBe(0.5);
      expect(throttled?.throttledPeriods).toBeGreaterThan(0);
      expect(throttled?.throttledMs).toBeGreaterThan(0);
      expect(throttled?.periods).toBeGreaterThanOrEqual(throttled?.throttledPeriods ?? Infinity);
    });
  });
});

/** Makes a control group with a quota, as root and where one can be made, and removes it afterwards. Throws if not. */
function withGroup(cores: number, use: (directory: string) => void): void {
  const old = succeeds(() => readFileSync("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"));
  const directory = join(old ? "/sys/fs/cgroup/cpu" : "/sys/fs/cgroup", GROUP);
  mkdirSync(directory);
  try {
    if (old) writeFileSync(join(directory, "cpu.cfs_quota_us"), `${cores * 100000}`);
    else writeFileSync(join(directory, "cpu.max"), `${cores * 100000} 100000`, { flag: "r+" });
    use(directory);
  } finally {
    rmdirSync(directory);
  }
}

function readStatus(pattern: RegExp): string | null {
  if (!succeeds(() => readFileSync("/proc/self/status"))) return null;
  return pattern.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? null;
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

function reason(skipped: boolean, why: string): string {
  return skipped ? ` (skipped: ${why})` : "";
}
