import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import picocolors from "picocolors";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Check, type Diagnosis, diagnose, formatDiagnosis } from "../node/doctor.ts";
import { readEnvironment } from "../node/environment.ts";

const scratch = mkdtempSync(join(tmpdir(), "allcores-doctor-"));
afterAll(() => rmSync(scratch, { recursive: true }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Makes a folder to take for "/", of a machine with cgroups version 2 and these files. */
function machine(files: Record<string, string>): string {
  const root = mkdtempSync(join(scratch, "root-"));
  const cgroup = "32 31 0:29 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n";
  const all = { "/proc/self/cgroup": "0::/docker/x\n", "/proc/self/mountinfo": cgroup, ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function find(diagnosis: Diagnosis, name: string): Check {
  const check = diagnosis.checks.find((each) => each.name === name);
  if (check === undefined) throw new Error(`no check is named ${name}`);
  return check;
}

function namesOf(diagnosis: Diagnosis, status: Check["status"]): string[] {
  return diagnosis.checks.filter((check) => check.status === status).map((check) => check.name);
}

describe("diagnose", () => {
  test("finds threading on here, by every probe", async () => {
    const diagnosis = await diagnose();
    expect(diagnosis).toMatchObject({ schema: "allcores.doctor/1", ok: true });
    expect(diagnosis.summary).toMatch(/^Threading is on: \d+ cores?, SIMD, shared memory\.$/);
    expect(namesOf(diagnosis, "fail")).toEqual([]);
    // The other checks are about the machine, which may well deserve a warning.
    const probes = [
      "runtime",
      "WebAssembly",
      "shared memory",
      "Wasm threads",
      "Wasm SIMD",
      "worker threads",
      "Wasm memory",
    ];
    expect(namesOf(diagnosis, "ok")).toEqual(expect.arrayContaining(probes));
    expect(find(diagnosis, "worker threads").found).toMatch(/^one started and wrote to shared memory in \d+ ms$/);
    expect(find(diagnosis, "Wasm memory").found).toBe("up to 4 GiB can be shared");
  });

  test("gives plain data, which JSON does not change", async () => {
    const diagnosis = await diagnose();
    expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
  });

  test("gives advice with every warning", async () => {
    const root = machine({
      "/proc/self/status": "Cpus_allowed_list:\t0\n",
      "/sys/devices/system/cpu/online": "0-7\n",
      "/sys/fs/cgroup/docker/x/cpu.max": "50000 100000\n",
      "/sys/fs/cgroup/docker/x/cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_usec 250000\n",
      "/sys/fs/cgroup/docker/memory.max": `${100 * 2 ** 20}\n`,
    });
    const diagnosis = await diagnose({ root });
    expect(diagnosis.ok).toBe(true);
    expect(diagnosis.summary).toBe("Threading is on: 1 core, SIMD, shared memory.");
    const warned = ["cores", "CPU quota", "throttling", "memory limit"];
    expect(namesOf(diagnosis, "warn")).toEqual(expect.arrayContaining(warned));
    expect(find(diagnosis, "cores").advice).toContain("Threads cannot make anything faster here.");
    expect(find(diagnosis, "CPU quota").found).toBe("0.5 cores by cgroup v2 /docker/x cpu.max");
    expect(find(diagnosis, "throttling").found).toBe("25 % of 40 periods used up the quota; 250 ms waited");
    expect(find(diagnosis, "memory limit").found).toMatch(/^100 MiB of the machine's [\d.]+ .iB$/);
    for (const { status, advice } of diagnosis.checks) expect(advice !== undefined).toBe(status !== "ok");
  });

  test("warns of processors that are closed to the process, and says how many", async () => {
    const root = machine({ "/sys/fs/cgroup/docker/x/cpu.max": "max 100000\n" });
    const { logicalCores } = readEnvironment();
    const diagnosis = await diagnose({ root, parallelism: logicalCores - 1 || 1 });
    const { status, found } = find(diagnosis, "affinity");
    if (logicalCores === 1) expect({ status, found }).toEqual({ status: "ok", found: "all 1 processor" });
    else
      expect({ status, found }).toEqual({ status: "warn", found: `${logicalCores - 1} of ${logicalCores} processors` });
  });

  test("does not warn of a quota or a memory limit that is large enough", async () => {
    const limit = Math.floor(totalmem() / 2);
    const files = { "/sys/fs/cgroup/docker/cpu.max": "200000 100000", "/sys/fs/cgroup/memory.max": `${limit}` };
    const diagnosis = await diagnose({ root: machine(files), parallelism: 2 });
    expect(find(diagnosis, "CPU quota")).toMatchObject({ status: "ok", found: "2 cores by cgroup v2 /docker cpu.max" });
    expect(find(diagnosis, "memory limit").status).toBe("ok");
  });
});

describe("where something is missing", () => {
  const real = WebAssembly;

  /** Puts something in the place of parts of the WebAssembly API. */
  function stub(parts: object): void {
    const { Memory, validate } = real;
    vi.stubGlobal("WebAssembly", { Memory, validate, ...parts });
  }

  /** Lets `new WebAssembly.Memory(descriptor)` be what `make` returns. */
  function stubMemory(make: (descriptor: { initial: number; maximum: number; shared: boolean }) => object): void {
    stub({ Memory: new Proxy(real.Memory, { construct: (_, [descriptor]) => make(descriptor) }) });
  }

  test("the summary names the first failure", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    const diagnosis = await diagnose();
    expect(diagnosis.ok).toBe(false);
    expect(diagnosis.summary).toBe("Threading is off: WebAssembly: absent.");
    expect(namesOf(diagnosis, "fail")[0]).toBe("WebAssembly");
  });

  test("threading is on without SIMD, and the summary says so", async () => {
    const SIMD_PREFIX = 0xfd;
    stub({ validate: (bytes: Uint8Array<ArrayBuffer>) => !bytes.includes(SIMD_PREFIX) && real.validate(bytes) });
    const diagnosis = await diagnose();
    expect(diagnosis.ok).toBe(true);
    expect(diagnosis.summary).toContain("no SIMD");
    expect(find(diagnosis, "Wasm SIMD").status).toBe("warn");
  });

  test("threading is off without atomic operations", async () => {
    const ATOMIC_PREFIX = 0xfe;
    stub({ validate: (bytes: Uint8Array<ArrayBuffer>) => !bytes.includes(ATOMIC_PREFIX) && real.validate(bytes) });
    const diagnosis = await diagnose();
    expect(namesOf(diagnosis, "fail")).toEqual(["Wasm threads"]);
    expect(diagnosis.summary).toBe("Threading is off: Wasm threads: atomic operations do not compile.");
  });

  test("the largest memory that can be shared is found by halving", async () => {
    stubMemory((descriptor) => {
      if (descriptor.maximum > 20000) throw new RangeError("too large");
      return new real.Memory(descriptor);
    });
    const diagnosis = await diagnose();
    expect(diagnosis.ok).toBe(true);
    expect(find(diagnosis, "Wasm memory")).toMatchObject({ status: "warn", found: "up to 1 GiB can be shared" });
  });

  test("a refused memory fails with the platform's reason", async () => {
    stubMemory(() => {
      throw new RangeError("could not allocate memory");
    });
    const diagnosis = await diagnose();
    expect(diagnosis.summary).toBe("Threading is off: shared memory: could not allocate memory.");
    expect(find(diagnosis, "Wasm memory").status).toBe("fail");
  });

  test("a memory that a worker gets a copy of is not shared", async () => {
    stubMemory(() => ({ buffer: new ArrayBuffer(8) }));
    const diagnosis = await diagnose();
    expect(namesOf(diagnosis, "fail")).toEqual(["shared memory", "worker threads"]);
    expect(find(diagnosis, "worker threads").found).toBe("what a worker wrote to shared memory did not arrive");
  });

  test("a worker that throws fails the check with its reason", async () => {
    stubMemory(() => ({ buffer: new SharedArrayBuffer(3) })); // not a whole number of words
    const diagnosis = await diagnose();
    expect(namesOf(diagnosis, "fail")).toEqual(["worker threads"]);
    expect(find(diagnosis, "worker threads").found).toContain("multiple of 4");
  });
});

describe("formatDiagnosis", () => {
  let diagnosis: Diagnosis;
  beforeAll(async () => {
    const root = machine({ "/sys/fs/cgroup/cpu.max": "50000 100000\n" });
    diagnosis = await diagnose({ root, parallelism: 2 });
    diagnosis.checks.push({ name: "made up", status: "fail", found: "nothing", advice: "Do something." });
  });

  test("aligns status, name, finding and advice, and ends with the summary", () => {
    const lines = formatDiagnosis(diagnosis).split("\n");
    const widest = Math.max(...diagnosis.checks.map((check) => check.name.length));
    const expected = diagnosis.checks.flatMap(({ name, status, found, advice }) => {
      const label = { ok: "ok  ", warn: "warn", fail: "FAIL" }[status];
      const line = `${label}  ${name}${" ".repeat(widest - name.length)}  ${found}`;
      return advice === undefined ? [line] : [line, " ".repeat(widest + 8) + advice];
    });
    expect(lines).toEqual([...expected, "", diagnosis.summary]);
  });

  test("has no escape codes unless it is given colours", () => {
    expect(formatDiagnosis(diagnosis)).not.toContain("\u001b");
    expect(formatDiagnosis(diagnosis, picocolors.createColors(false))).toBe(formatDiagnosis(diagnosis));
  });

  test("says the same in colours", () => {
    const { red, yellow, dim, ...others } = picocolors.createColors(true);
    const text = formatDiagnosis(diagnosis, { red, yellow, dim, ...others });
    expect(text).toContain(red("FAIL"));
    expect(text).toContain(yellow("warn"));
    expect(text).toContain(dim("Do something."));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
    expect(text.replace(/\u001b\[\d+m/g, "")).toBe(formatDiagnosis(diagnosis));
  });
});

describe("readEnvironment", () => {
  test("names the runtime and what it runs on", () => {
    const environment = readEnvironment();
    expect(environment).toMatchObject({ runtime: "node", version: process.versions.node });
    expect(environment).toMatchObject({ platform: process.platform, arch: process.arch, totalMemoryBytes: totalmem() });
    expect(environment.engine).toBe(`v8 ${process.versions.v8}`);
    expect(environment.cpu).not.toBe("");
    expect(environment.timerResolutionMs).toBeGreaterThan(0);
    expect(environment.timerResolutionMs).toBeLessThan(50);
  });

  test("finds the lowest memory limit above the process's group, and none that the machine's memory is below", () => {
    const limit = (own: string, above: string) => {
      const files = { "/sys/fs/cgroup/docker/x/memory.max": own, "/sys/fs/cgroup/docker/memory.max": above };
      return readEnvironment({ root: machine(files) }).memoryLimitBytes;
    };
    expect(limit("max\n", "max\n")).toBe(null);
    expect(limit("max\n", "2000000\n")).toBe(2000000);
    expect(limit("1000000\n", "2000000\n")).toBe(1000000);
    expect(limit("2000000\n", "1000000\n")).toBe(1000000);
    expect(limit("9223372036854771712\n", "max\n")).toBe(null);
  });

  test("finds the memory limit of cgroups version 1, whose way to write none is a huge number", () => {
    const limit = (bytes: string) => {
      const root = machine({
        "/proc/self/cgroup": "4:memory:/docker/x\n",
        "/proc/self/mountinfo": "36 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
        "/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": bytes,
      });
      return readEnvironment({ root }).memoryLimitBytes;
    };
    expect(limit("1000000\n")).toBe(1000000);
    expect(limit("9223372036854771712\n")).toBe(null);
  });

  test("counts ticks without the guests', which are in the others", () => {
    const root = machine({ "/proc/stat": "cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 2 3 4 5 6 7 8 100 100\n" });
    expect(readEnvironment({ root })).toMatchObject({ stealTicks: 8, totalTicks: 36 });
    expect(readEnvironment({ root: machine({ "/proc/stat": "cpu  1 2\n" }) })).toMatchObject({ stealTicks: null });
  });

  test("finds the step of a coarse clock, and does not wait for one that stands still", () => {
    let reads = 0;
    const now = vi.spyOn(performance, "now").mockImplementation(() => Math.floor(reads++ / 10) * 0.25);
    expect(readEnvironment().timerResolutionMs).toBe(0.25);
    now.mockReturnValue(5);
    expect(readEnvironment().timerResolutionMs).toBe(Number.POSITIVE_INFINITY);
  });
});
