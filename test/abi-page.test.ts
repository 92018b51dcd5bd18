// Holds docs/abi.md against what it tells of: the binaries, and layout.ts.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as layout from "../assembly/layout.ts";
import { kernelBytes } from "./kernel.ts";
import { ATOMIC, allInstructions, BULK, exportedFunctionType, parseWasm, SIMD, type WasmModule } from "./wasm.ts";

const page = readFileSync(new URL("../docs/abi.md", import.meta.url), "utf8");

/** The cells of every row whose first cell is nothing but `code`. */
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .replaceAll("\\|", "¦")
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .filter(([first = ""]) => /^`[^`]+`$/.test(first))
  .map(([first = "", ...others]) => [first.slice(1, -1), ...others] as [name: string, ...cells: string[]]);

const CONSTANT = /^[A-Z][A-Z\d]*(_[A-Z\d]+)*$/;

const simd = parseWasm(kernelBytes("simd"));
const scalar = parseWasm(kernelBytes("scalar"));

function signatures(module: WasmModule): Record<string, string> {
  const functions = module.exports.filter(({ kind }) => kind === "function");
  return Object.fromEntries(
    functions.map((entry) => {
      const { parameters, results } = exportedFunctionType(module, entry);
      return [entry.name, `\`(${parameters.join(", ")}) -> ${results.join(", ") || "()"}\``];
    }),
  );
}

/** The features beyond WebAssembly 1.0 that a build's instructions need. */
function features(module: WasmModule): string[] {
  const found = new Set<string>();
  for (const { opcode, sub = 0 } of allInstructions(module)) {
    if (opcode === ATOMIC) found.add("threads");
    else if (opcode === SIMD) found.add("SIMD");
    else if (opcode === BULK) found.add(sub < 8 ? "non-trapping conversions" : "bulk memory");
    else if (opcode >= 0xc0 && opcode <= 0xc4) found.add("sign extension");
  }
  return [...found].sort();
}

describe("docs/abi.md", () => {
  test("tells every constant of layout.ts with its value, and no other", () => {
    const told = rows.filter(([name]) => CONSTANT.test(name) && name !== "SIMD");
    expect(Object.fromEntries(told.map(([name, value]) => [name, Number(value)]))).toEqual({ ...layout });
    expect(told).toHaveLength(Object.keys(layout).length); // none twice
  });

  test.each([
    ["SIMD", simd],
    ["scalar", scalar],
  ])("tells every export of the %s build, each function with its signature, and no other", (_, module) => {
    const told = rows.filter(([, cell = ""]) => /^`\(.*\) -> .*`$/.test(cell));
    const functions = Object.fromEntries(told.filter(([name]) => !name.startsWith("env.")));
    expect(functions).toEqual(signatures(module));
    const globals = module.exports.filter(({ kind }) => kind === "global").map(({ name }) => name);
    expect(globals.sort()).toEqual([...Object.keys(layout), "SIMD"].sort());
    expect(rows.find(([name]) => name === "SIMD")?.[1]).toBe("1 or 0");
    expect(module.exports).toHaveLength(globals.length + Object.keys(functions).length);
  });

  test.each([
    ["SIMD", simd],
    ["scalar", scalar],
  ])("tells the imports of the %s build with their types, and no other", (_, module) => {
    const told = Object.fromEntries(
      rows.filter(([name]) => name.startsWith("env.")).map(([name, type]) => [name, type]),
    );
    const imported = module.imports.map(({ module, name, description }) => {
      if (description.kind === "function") {
        const { parameters, results } = description.type;
        return [`${module}.${name}`, `\`(${parameters.join(", ")}) -> ${results.join(", ")}\``];
      }
      if (description.kind !== "memory") throw new Error(`an import of ${description.kind}`);
      const { initial, maximum, shared } = description.limits;
      return [`${module}.${name}`, `memory, ${shared ? "shared" : "not shared"}, ${initial} … ${maximum} pages`];
    });
    expect(told).toEqual(Object.fromEntries(imported));
  });

  test.each([
    ["kernel.wasm", simd],
    ["kernel-scalar.wasm", scalar],
  ])("tells the features that %s needs, and no other", (name, module) => {
    const told = rows.find(([first]) => first === name)?.[1] ?? "";
    expect(
      told
        .split(",")
        .map((feature) => feature.trim())
        .sort(),
    ).toEqual(features(module));
  });

  test("names nothing in capitals that the kernel does not export", () => {
    const names = [...page.matchAll(/`([A-Z][A-Z\d]*_[A-Z\d_]*?)`/g)].map(([, name]) => name as string);
    const prefixes = (name: string) => Object.keys(layout).some((constant) => constant.startsWith(name));
    expect(names.filter((name) => !(name in layout) && !(name.endsWith("_") && prefixes(name)))).toEqual([]);
    const inPrograms = [...page.matchAll(/```\n([\s\S]*?)```/g)].flatMap(([, program = ""]) =>
      [...program.matchAll(/\b[A-Z][A-Z\d]*_[A-Z\d_]+\b/g)].map(([name]) => name),
    );
    expect(inPrograms.filter((name) => !(name in layout))).toEqual([]);
  });

  test("writes every parameter of a picture in its first program", () => {
    const [, program = ""] = /```\n([\s\S]*?)```/.exec(page) ?? [];
    const parameters = Object.keys(layout).filter(
      (name) => /^(JOB|MANDELBROT)_/.test(name) && !/^JOB_(BYTES|ARGUMENTS|KIND_.*)$/.test(name),
    );
    for (const name of parameters) expect(program).toMatch(new RegExp(`[if](32|64)\\[${name}\\] *= `));
  });

  test("draws the memory as it is", () => {
    const [, drawn = ""] = /```\n(0 {2,}[\s\S]*?)```/.exec(page) ?? [];
    const drawnAddresses = [...drawn.matchAll(/([A-Z]+) (\d+)/g)].map(([, name, address]) => [name, Number(address)]);
    const { CONTROL, JOB, THREADS, HEAP } = layout;
    expect(Object.fromEntries(drawnAddresses)).toEqual({ CONTROL, JOB, THREADS, HEAP });
    expect(drawn).toContain(`${layout.CACHE_LINE} bytes apart`);
    expect(drawn).toContain(`${layout.THREAD_BYTES} bytes for`);
    expect(drawn).toContain(`${layout.MAX_THREADS} threads`);
  });
});
