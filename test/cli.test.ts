// The command line, as a program of its own.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { readCores } from "../node/cores.ts";
import { goldenCases } from "./golden.ts";
import { allcores, withFolder } from "./program.ts";

const REFERENCE = "b0df6708b10fafa4e145daa15d6e593cbde9f2ecfa5e91a55830e17c48c28c34";

/** A benchmark of a second or so. */
const QUICK = ["bench", "--threads", "1,2,3", "--width", "200", "--height", "100", "--samples", "3"];

describe("allcores bench", () => {
  test("prints a table a run, the counter, and a verdict; all rows and samples have the same counts", async () => {
    const { status, stdout, stderr } = await allcores(QUICK);
    expect({ status, stderr: stderr.replace(/^warning: .*time went.*\n/, "") }).toEqual({ status: 0, stderr: "" });
    for (const run of ["naive, dynamic", "naive, static", "exact, dynamic", "exact, static"]) {
      expect(stdout).toContain(`${run}: 200×100 at 1,000 iterations`);
    }
    expect(stdout.match(/^threads +median +± MAD +speedup +efficiency +busy +Karp–Flatt +ceiling$/gm)).toHaveLength(4);
    for (const row of ["serial", "1", "2", "3"])
      expect(stdout.match(new RegExp(`^${row}\\b.* ms`, "gm"))).toHaveLength(4);
    expect(new Set(stdout.match(/SHA-256 [0-9a-f]{64}/g)).size).toBe(1);
    expect(stdout).toMatch(/10 threads × 100,000, lock: 1,000,000 in .*; exact/);
    expect(stdout).toMatch(/10 threads × 100,000, atomic: 1,000,000 in .*; exact/);
    expect(stdout).toMatch(/no guard: [\d,]+ in .*; ([\d,]+ of 1,000,000 updates lost|no update lost in 200 runs)/);
    expect(stdout.match(/cold start: .* ready in .*, then the first picture in/g)).toHaveLength(4);
    expect(stdout.match(/one worker is (as fast|[\d.]+ % (slower|faster))/g)).toHaveLength(4);
    expect(stdout).toMatch(/memory: [\d.]+ MB for each worker/);
  });

  test("rows beyond the cores are marked, and the others are not", async () => {
    const { usable } = readCores();
    const threads = usable + 1;
    const { stdout } = await allcores([
      ...QUICK,
      "--threads",
      `1,${threads}`,
      "--algorithm",
      "exact",
      "--schedule",
      "dynamic",
    ]);
    expect(stdout).toMatch(new RegExp(`^${threads} \\* `, "m"));
    expect(stdout).toMatch(/^1 {2,}/m);
    expect(stdout).toContain(`* more threads than the ${usable} core`);
  });

  test("--json - prints the report alone, with every field of the schema", async () => {
    const { status, stdout } = await allcores([
      ...QUICK,
      "--algorithm",
      "naive",
      "--schedule",
      "static",
      "--json",
      "-",
    ]);
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    const timing = { samplesMs: expect.any(Array), medianMs: expect.any(Number), madMs: expect.any(Number) };
    expect(report).toMatchObject({
      schema: "allcores.scaling/1",
      environment: {
        runtime: "node",
        version: process.versions.node,
        cpu: expect.any(String),
        logicalCores: expect.any(Number),
        usableCores: readCores().usable,
      },
      workload: {
        width: 200,
        height: 100,
        maxIterations: 1000,
        region: { reMin: -2, reMax: 1, imMin: -1, imMax: 1 },
        algorithm: "naive",
        schedule: "static",
      },
      countsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      serial: timing,
      cold: { spawnMs: expect.any(Number), warmUpMs: expect.any(Number), firstResultMs: expect.any(Number) },
      verdict: expect.any(String),
      interrupted: false,
    });
    expect(report.environment).toHaveProperty("quota");
    expect(report).not.toHaveProperty("runs");
    expect(report.rows.map((row: { threads: number }) => row.threads)).toEqual([1, 2, 3]);
    for (const row of report.rows) {
      expect(row).toMatchObject({
        ...timing,
        speedup: report.rows[0].medianMs / row.medianMs,
        speedupSerial: report.serial.medianMs / row.medianMs,
        efficiency: row.speedup / row.threads,
        busyShare: expect.any(Number),
        cpuShare: expect.any(Number),
        threadSpeed: expect.any(Number),
        ceiling: expect.any(Number),
        oversubscribed: row.threads > readCores().usable,
        countsSha256: report.countsSha256,
      });
      expect(row.samplesMs).toHaveLength(3);
      expect(row.karpFlatt === null).toBe(row.threads === 1);
      expect(row.workers).toHaveLength(row.threads);
      expect(row.workers[0]).toEqual({ chunks: 1, iterations: expect.any(Number), busyMs: expect.any(Number) });
    }
  });

  test("with several algorithms or schedules, `runs` holds a whole report of each, and the first stands outside, too", async () => {
    await withFolder(async (path) => {
      const { status } = await allcores([...QUICK, "--json", path("report.json"), "--svg", path("chart.svg")]);
      expect(status).toBe(0);
      const report = JSON.parse(readFileSync(path("report.json"), "utf8"));
      const names = report.runs.map((run: { workload: { algorithm: string; schedule: string } }) => {
        expect(run).toMatchObject({ schema: "allcores.scaling/1", countsSha256: report.countsSha256 });
        return `${run.workload.algorithm} ${run.workload.schedule}`;
      });
      expect(names).toEqual(["naive dynamic", "naive static", "exact dynamic", "exact static"]);
      expect(report.rows).toEqual(report.runs[0].rows);
      expect(report.counters.map((count: { value: number }) => count.value).slice(0, 2)).toEqual([
        1_000_000, 1_000_000,
      ]);
      const svg = readFileSync(path("chart.svg"), "utf8");
      expect(svg).toMatch(/^<svg|^<\?xml/);
      for (const name of names) expect(svg).toContain(name.replace(" ", ", "));
    });
  });

  test("the reference picture has the counts that CPython computed, in every run", async () => {
    const args = ["bench", "--threads", "2", "--samples", "1", "--algorithm", "exact", "--json", "-"];
    const { status, stdout } = await allcores(args);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).countsSha256).toBe(REFERENCE);
  });

  test("Ctrl-C stops the workers, writes what was measured, and exits with 130", async () => {
    await withFolder(async (path) => {
      const args = ["bench", "--threads", "1,2", "--width", "300", "--height", "200", "--samples", "20"];
      let interrupted = false;
      const { status, stderr } = await allcores([...args, "--json", path("report.json")], {
        onOutput: (text, kill) => {
          // The first run is reported, so the second is under way.
          if (!interrupted && text.includes("naive, dynamic")) {
            interrupted = true;
            kill("SIGINT");
          }
        },
      });
      expect(status).toBe(130);
      expect(stderr).toContain("interrupted by SIGINT");
      const report = JSON.parse(readFileSync(path("report.json"), "utf8"));
      expect(report).toMatchObject({ interrupted: true, workload: { algorithm: "naive", schedule: "dynamic" } });
      expect(report.rows).toHaveLength(2);
    });
  });

  test("Ctrl-C before anything was measured exits with 130 as well, and the report says so", async () => {
    const args = ["bench", "--width", "4000", "--height", "4000", "--max-iterations", "50000", "--algorithm", "naive"];
    await withFolder(async (path) => {
      let interrupted = false;
      const { status } = await allcores([...args, "--json", path("report.json")], {
        onOutput: (_, kill) => {
          if (!interrupted) kill("SIGINT"); // a second one would end it at once
          interrupted = true;
        },
      });
      expect(status).toBe(130);
      expect(JSON.parse(readFileSync(path("report.json"), "utf8"))).toMatchObject({ interrupted: true });
    });
  });

  test("a reader that has seen enough ends the program without a stack trace", async () => {
    const child = spawn("sh", ["-c", `"$0" dist/cli.js ${QUICK.join(" ")} | head -n 1`, process.execPath], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    await new Promise((resolve) => child.on("close", resolve));
    expect(stderr).not.toMatch(/EPIPE|at .*\(/);
  });
});

describe("allcores count", () => {
  test.each(["lock", "atomic"])("10 threads × 100,000 under %s is exactly 1,000,000", async (guard) => {
    const { status, stdout } = await allcores(["count", "--guard", guard, "--json", "-"]);
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      schema: "allcores.count/1",
      threads: 10,
      increments: 100_000,
      guard,
      expected: 1_000_000,
      value: 1_000_000,
      lost: 0,
      ms: expect.any(Number),
      lock: {
        acquisitions: guard === "lock" ? 1_000_000 : 0,
        contended: expect.any(Number),
        waits: expect.any(Number),
        waitMs: expect.any(Number),
        rescues: 0,
      },
    });
  });

  test("without a guard it is repeated until an update gets lost, and says how many, or that none was", async () => {
    const { status, stdout } = await allcores(["count", "--guard", "none", "--threads", "4"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^4 threads × 100,000, no guard: [\d,]+ in .*; ([\d,]+ of 400,000 updates lost, in (the first run|run \d+)|no update lost in 200 runs: .*)\n$/,
    );
  });

  test("one thread loses nothing without a guard, and the repetition is bounded", async () => {
    const { stdout } = await allcores([
      "count",
      "--guard",
      "none",
      "--threads",
      "1",
      "--increments",
      "10",
      "--json",
      "-",
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ value: 10, lost: 0, attempts: 200 });
  });
});

describe("allcores render", () => {
  test("--counts writes little-endian u32, row-major: the golden bytes", async () => {
    await withFolder(async (path) => {
      for (const { name, width, height, maxIterations, region, sha256 } of goldenCases()) {
        const bounds = [region.reMin, region.reMax, region.imMin, region.imMax].join(",");
        const file = path(`${name}.u32le`);
        const { status, stdout } = await allcores([
          ...["render", "--width", `${width}`, "--height", `${height}`, "--max-iterations", `${maxIterations}`],
          ...["--region", bounds, "--counts", file],
        ]);
        expect({ name, status }).toEqual({ name, status: 0 });
        expect(createHash("sha256").update(readFileSync(file)).digest("hex")).toBe(sha256);
        expect(stdout).toContain(`counts SHA-256 ${sha256}`);
      }
    });
  });

  test("--png writes a picture of that size, in the palette that was asked for", async () => {
    await withFolder(async (path) => {
      const pictures = [];
      for (const palette of ["ocean", "ember"]) {
        const file = path(`${palette}.png`);
        const size = ["--width", "120", "--height", "80", "--palette", palette];
        expect((await allcores(["render", ...size, "--png", file])).status).toBe(0);
        const picture = decode(readFileSync(file));
        expect(picture).toMatchObject({ width: 120, height: 80, channels: 3, depth: 8 });
        pictures.push(Buffer.from(picture.data as Uint8Array).toString("hex"));
      }
      expect(pictures[0]).not.toBe(pictures[1]);
    });
  });

  test("- writes to stdout, and what there is to say goes to stderr", async () => {
    await withFolder(async (path) => {
      const script = `"$0" dist/cli.js render --width 97 --height 61 --max-iterations 255 --counts - > "$1" 2> "$2"`;
      const child = spawn("sh", ["-c", script, process.execPath, path("counts"), path("notes")], { stdio: "ignore" });
      expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
      const expected = goldenCases().find(({ name }) => name === "whole97x61_it255")?.sha256;
      expect(
        createHash("sha256")
          .update(readFileSync(path("counts")))
          .digest("hex"),
      ).toBe(expected);
      expect(readFileSync(path("notes"), "utf8")).toContain(`counts SHA-256 ${expected}`);
    });
  });
});

describe("allcores doctor", () => {
  test("says that threading is on here, and how it knows", async () => {
    const { status, stdout } = await allcores(["doctor"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Threading is on/);
    expect(stdout).not.toContain("\u001b");
    const { stdout: json } = await allcores(["doctor", "--json", "-"]);
    expect(JSON.parse(json)).toMatchObject({ schema: "allcores.doctor/1", ok: true });
  });
});

describe("arguments", () => {
  test.each([
    [["bench", "--threads", "0"], '"--threads" expected integers from 1 to 256 with commas between'],
    [["bench", "--threads", "1,,2"], '"--threads" expected integers'],
    [["bench", "--threads", "257"], '"--threads" expected integers'],
    [["bench", "--samples", "1.5"], '"--samples" expected an integer from 1 to 10000, got "1.5"'],
    [["bench", "--width", "-1"], '"--width" expected an integer from 1 to 1073741824, got "-1"'],
    [["bench", "--max-iterations", "1e3"], '"--max-iterations" expected an integer from 1 to 2147483647, got "1e3"'],
    [["bench", "--region", "1,2,3"], '"--region" expected four numbers'],
    [["bench", "--region", "1,2,3,x"], '"--region" expected four numbers'],
    [["bench", "--region", "0,Infinity,0,1"], '"region.reMax" expected a finite number, got Infinity'],
    [["bench", "--region", "1,0,0,1"], '"region.reMax" expected a number greater than reMin, which is 1, got 0'],
    [["bench", "--algorithm", "fast"], '"--algorithm" expected exact or naive, got "fast"'],
    [["bench", "--schedule", ""], '"--schedule" expected dynamic or static, got ""'],
    [["bench", "--json", "no/such/folder/x"], '"--json" expected a file that can be written, got "no/such/folder/x"'],
    [["bench", "--frobnicate"], "unknown option '--frobnicate'"],
    [["bench", "more"], "too many arguments"],
    [["bench", "--json", "-", "--svg", "-"], 'only one of "--json" and "--svg" can go to stdout'],
    [["count", "--increments", "0"], '"--increments" expected an integer from 1 to 2147483647, got "0"'],
    [["count", "--guard", "mutex"], '"--guard" expected lock or atomic or none, got "mutex"'],
    [["render"], "nothing to write: give --png FILE, --counts FILE, or both"],
    [["render", "--png", "-", "--counts", "-"], 'only one of "--png" and "--counts" can go to stdout'],
    [["render", "--png", "x.png", "--palette", "pink"], '"--palette" expected'],
    [["paint"], "unknown command 'paint'"],
  ])("%j is refused with exit code 2 and a reason, and nothing is started", async (args, reason) => {
    const { status, stdout, stderr } = await allcores(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(reason);
    expect(existsSync("x.png")).toBe(false);
  });

  test("a picture that is too large for any memory fails with exit code 1, and says how large it is", async () => {
    await withFolder(async (path) => {
      const { status, stderr } = await allcores([
        ...["render", "--width", "100000", "--height", "100000", "--max-iterations", "1", "--counts", path("counts")],
      ]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/the job needs 4\d{4} MB, but a memory has \d+ MB at most/);
    });
  });

  test("a file that was there is not touched when an argument is bad", async () => {
    await withFolder(async (path) => {
      writeFileSync(path("precious"), "precious");
      expect((await allcores(["bench", "--json", path("precious"), "--samples", "x"])).status).toBe(2);
      expect(readFileSync(path("precious"), "utf8")).toBe("precious");
    });
  });

  test("--help and --version are no errors; no command at all is one", async () => {
    for (const args of [["--help"], ["bench", "--help"], ["help", "render"]]) {
      const { status, stdout, stderr } = await allcores(args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^Usage: allcores/);
    }
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(await allcores(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
    expect((await allcores([])).status).toBe(2);
  });

  test("there is no colour without a terminal", async () => {
    const { stdout } = await allcores([...QUICK, "--algorithm", "exact"], { env: { CI: "true", FORCE_COLOR: "1" } });
    expect(stdout).not.toContain("\u001b");
  });
});
