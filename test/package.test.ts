// What is published: packed, installed into an empty project, and used there.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as layout from "../assembly/layout.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const project = mkdtempSync(join(tmpdir(), "allcores-package-"));
const installed = join(project, "node_modules/allcores");
let packed: string[] = [];

function npm(args: string[], cwd: string): string {
  return execFileSync("npm", args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32", // npm is a batch file there
  });
}

function node(args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });
}

beforeAll(() => {
  const [{ filename, files }] = JSON.parse(npm(["pack", "--json", "--pack-destination", project], root));
  packed = files.map(({ path }: { path: string }) => path);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  npm(["install", "--offline", "--no-audit", "--no-fund", join(project, filename)], project);
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the package", () => {
  test("has the files that it should have, and no others", () => {
    // Shared code goes into files whose names end in a hash of their content.
    const names = packed.map((path) => path.replace(/-[\w-]{8}\.js$/, "-HASH.js")).sort();
    expect(names).toEqual(
      [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "dist/cli.js",
        ...names.filter((name) => name.endsWith("-HASH.js")),
        "dist/element.js",
        "dist/inline.js",
        "dist/kernel-scalar.wasm",
        "dist/kernel-serial.wasm",
        "dist/kernel.wasm",
        "dist/layout.js",
        "dist/node-serial.js",
        "dist/node-worker.cjs",
        "dist/node.js",
        "dist/types/assembly/layout.d.ts",
        "dist/types/src/colors.d.ts",
        "dist/types/src/errors.d.ts",
        "dist/types/src/types.d.ts",
        "dist/types/web/element/index.d.ts",
        "dist/types/web/element/view.d.ts",
        "dist/types/web/index.d.ts",
        "dist/types/web/inline.d.ts",
        "dist/web.js",
        "dist/worker.js",
        "package.json",
        "ports/conformance/vectors.json",
      ].sort(),
    );
  });

  test("has no dependency and no install script", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    for (const field of ["dependencies", "optionalDependencies", "peerDependencies"]) {
      expect(manifest[field]).toBeUndefined();
    }
    for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
      expect(manifest.scripts[script]).toBeUndefined();
    }
    expect(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["allcores"]);
  });

  test("publint finds nothing to say", async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  test("its code holds no path of the machine that built it", () => {
    for (const path of packed) {
      if (path.endsWith(".js") || path.endsWith(".ts")) {
        expect(readFileSync(join(installed, path), "utf8").includes(root)).toBe(false);
      }
    }
  });
});

describe("in an empty project", () => {
  test("the public doors open, and lead to exactly these names", () => {
    const script = `
      import * as main from "allcores";
      import * as inline from "allcores/inline";
      import * as layout from "allcores/layout";
      import { createRequire } from "node:module";
      const { resolve } = createRequire(import.meta.url);
      const files = ["kernel.wasm", "kernel-scalar.wasm", "worker", "package.json"].map((door) => resolve("allcores/" + door));
      let closed = 0;
      for (const path of ["allcores/dist/node.js", "allcores/dist/worker.js", "allcores/src/engine.ts"]) {
        try { resolve(path); } catch { closed++; }
      }
      const names = (door) => Object.keys(door);
      console.log(JSON.stringify({ main: names(main), inline: names(inline), layout: names(layout), files, closed }));`;
    const doors = JSON.parse(node(["--input-type=module", "--eval", script]));
    expect(doors.main.sort()).toEqual(["EngineError", "createEngine", "diagnose"]);
    expect(doors.inline.sort()).toEqual(["EngineError", "createEngine", "diagnose"]);
    expect(doors.layout.sort()).toEqual(Object.keys(layout).sort());
    expect(doors.files.map((path: string) => basename(path))).toEqual([
      "kernel.wasm",
      "kernel-scalar.wasm",
      "worker.js",
      "package.json",
    ]);
    expect(doors.closed).toBe(3);
  });

  test("each platform gets its own engine by the same name, and pages get the default", () => {
    const main = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")).exports["."];
    const chosen = (...conditions: string[]) =>
      Object.entries(main).find(([name]) => name === "default" || conditions.includes(name))?.[1];
    expect(Object.keys(main)[0]).toBe("types");
    expect(Object.keys(main).at(-1)).toBe("default");
    for (const runtime of ["node", "deno", "bun"]) expect(chosen(runtime, "import")).toBe("./dist/node.js");
    // Bundlers for pages, for a page's workers, and those that know no platform; some of them say node, too.
    for (const conditions of [["browser"], ["worker", "browser"], ["browser", "node"], ["import"]]) {
      expect(chosen(...conditions)).toBe("./dist/web.js");
    }
  });

  test("a server may import what is for pages: nothing happens, and an engine is refused with the reason", () => {
    const script = `
      for (const condition of ["web", "inline"]) {
        const { createEngine, diagnose } = await import("./node_modules/allcores/dist/" + condition + ".js");
        await createEngine().catch(({ code, message }) => console.log(code, message));
        await diagnose().catch(({ code, message }) => console.log(code, message));
      }`;
    const lines = node(["--input-type=module", "--eval", script]).trim().split("\n");
    expect(lines).toHaveLength(4);
    for (const line of lines)
      expect(line).toMatch(/^E_UNSUPPORTED there is no browser here: on a server, import allcores/);
  });

  test("what bundlers look for in a page's file is there as they look for it, and what a page loads imports nothing", () => {
    const read = (name: string) => readFileSync(join(installed, "dist", name), "utf8");
    const web = read("web.js");
    expect(web).toContain('new Worker(new URL("./worker.js", import.meta.url), { type: "module" })');
    expect(web).toContain('new URL("./kernel.wasm", import.meta.url)');
    expect(web).toContain('new URL("./kernel-scalar.wasm", import.meta.url)');
    for (const name of ["web.js", "worker.js", "inline.js"]) {
      expect(read(name)).not.toMatch(/^\s*(import\b|export .* from)|\bimport\(|["']node:/m);
    }
    for (const name of ["worker.js", "inline.js", "element.js"]) expect(read(name)).not.toContain("import.meta");
    expect(read("element.js").match(/\bfrom "[^"]*"/g)).toEqual(['from "./web.js"']); // one engine, and one class of errors
    expect(read("worker.js")).not.toMatch(/^(await|export)\b/m); // so that it runs as a classic script, too
  });

  test("a page's file names the hash of each kernel that comes with it", () => {
    for (const name of ["kernel.wasm", "kernel-scalar.wasm"]) {
      const hash = createHash("sha256")
        .update(readFileSync(join(installed, "dist", name)))
        .digest("base64");
      expect(readFileSync(join(installed, "dist/web.js"), "utf8")).toContain(`"sha256-${hash}"`);
    }
  });

  test("the README's first example runs", () => {
    const [, example] =
      /```js\n(import \{ createEngine \}[\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
    writeFileSync(join(project, "example.mjs"), example as string);
    expect(node(["example.mjs"])).toMatch(/\d/);
  });

  test("the engine runs from a program given on the command line, whose flags are not the workers'", () => {
    const script = `
      import { createEngine } from "allcores";
      const engine = await createEngine({ threads: 2 });
      console.log((await engine.count({ increments: 1000 })).value);
      await engine.close();`;
    expect(node(["--input-type=module", "--eval", script])).toBe("2000\n");
  });

  test("the command runs by its name", () => {
    const bin = join(project, "node_modules/.bin", process.platform === "win32" ? "allcores.cmd" : "allcores");
    expect(existsSync(bin)).toBe(true);
    expect(npm(["exec", "--", "allcores", "count", "--threads", "3", "--increments", "100"], project)).toContain(
      "3 threads × 100, lock: 300 in",
    );
  });

  test("a host program is put to the kit of the package", () => {
    const host = join(root, "ports/javascript/host.js");
    const kit = [
      "exec",
      "--",
      "allcores",
      "conformance",
      "--case",
      "whole97x61",
      "--threads",
      "2",
      "--",
      process.execPath,
    ];
    expect(npm([...kit, host], project)).toMatch(/passed/);
  });

  test("the types check for a program without DOM or Node types", () => {
    const program = `
      import { createEngine, diagnose, EngineError, type Engine, type MandelbrotResult, type ErrorCode } from "allcores";
      import { createEngine as createInlineEngine } from "allcores/inline";
      import { ABI_VERSION } from "allcores/layout";
      export async function picture(): Promise<Uint32Array> {
        await using engine: Engine = await createEngine({ threads: 2 });
        using result: MandelbrotResult = await engine.mandelbrot({ width: 10, output: "view" });
        // @ts-expect-error There is no such algorithm.
        engine.mandelbrot({ algorithm: "fast" });
        // @ts-expect-error There is no such option.
        engine.count({ thread: 3 });
        return new Uint32Array(result.counts);
      }
      export const engines: Promise<Engine>[] = [createEngine({ workerUrl: "/worker.js" }), createInlineEngine()];
      export const modes = diagnose().then(({ mode, problems }) => [mode, ...problems.map(({ code }) => code)]);
      export const isMissing = (code: ErrorCode): boolean => code === "E_WORKER_MISSING" || code === "E_NOT_ISOLATED";
      // @ts-expect-error There is no such code.
      export const isStrange = (code: ErrorCode): boolean => code === "E_STRANGE";
      export const version: ${layout.ABI_VERSION} = ABI_VERSION;
      export const codeOf = (error: unknown): ErrorCode | undefined => (error instanceof EngineError ? error.code : undefined);`;
    mkdirSync(join(project, "src"));
    writeFileSync(join(project, "src/program.ts"), program);
    const base = { strict: true, noEmit: true, target: "es2022", lib: ["es2022", "esnext.disposable"], types: [] };
    for (const options of [{ module: "nodenext" }, { module: "esnext", moduleResolution: "bundler" }]) {
      const config = { compilerOptions: { ...base, ...options, skipLibCheck: false }, include: ["src"] };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
      execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project], { stdio: "pipe" });
    }
  });

  test("a package whose kernel is missing, broken or of another version says what is wrong, and what to do", () => {
    const broken = join(project, "node_modules/broken");
    const attempt = () =>
      node([
        "--input-type=module",
        "--eval",
        `import { createEngine } from "broken"; await createEngine().catch((error) => console.log(error.code, error.message));`,
      ]);
    cpSync(installed, broken, { recursive: true });
    const kernel = join(broken, "dist/kernel.wasm");
    const bytes = readFileSync(kernel);
    rmSync(kernel);
    expect(attempt()).toMatch(/^E_KERNEL the simd build of the kernel could not be loaded \(ENOENT.*install or build/);
    writeFileSync(kernel, bytes.subarray(0, 1000));
    expect(attempt()).toMatch(/^E_KERNEL the simd build of the kernel could not be loaded \(WebAssembly\.compile/);
    writeFileSync(kernel, withAbiVersion(bytes, layout.ABI_VERSION + 1));
    expect(attempt()).toContain(
      `E_KERNEL the kernel speaks ABI version ${layout.ABI_VERSION + 1}, the engine ${layout.ABI_VERSION}`,
    );
  });
});

/** The kernel with another value of the first constant, ABI_VERSION: the first global's initialiser. */
function withAbiVersion(bytes: Uint8Array, version: number): Uint8Array {
  const immutable = [0x7f, 0x00, 0x41, layout.ABI_VERSION, 0x0b];
  const at = bytes.findIndex((_, index) => immutable.every((byte, offset) => bytes[index + offset] === byte));
  const changed = new Uint8Array(bytes);
  changed[at + 3] = version;
  return changed;
}
