// Holds what a host of any kind may rely on (assembly/README.md), by the bytes of what is published.

import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
import * as layout from "../assembly/layout.ts";
import { kernelBytes } from "./kernel.ts";
import {
  ATOMIC,
  allInstructions,
  BULK,
  exportedFunctionType,
  type FunctionType,
  type Instruction,
  parseWasm,
  SIMD,
  type WasmModule,
} from "./wasm.ts";

/** The functions that the kernel exports. */
const FUNCTIONS: Readonly<Record<string, FunctionType>> = {
  work: { parameters: ["i32"], results: ["i32"] },
  park: { parameters: ["i32", "i32"], results: ["i32"] },
  publish: { parameters: [], results: ["i32"] },
  stop: { parameters: ["i32"], results: [] },
  close: { parameters: [], results: [] },
};

/** Sections that a module must not have, since they make an instantiation write, or an instance hold a state. */
const FORBIDDEN_SECTIONS = ["data", "data count", "element", "table", "start", "memory", "tag"];

const FORBIDDEN_EXPORTS = ["memory", "__heap_base", "__data_end", "__stack_pointer"];

/** What is wrong with a threaded build of the kernel: one entry for each thing. */
function violations(module: WasmModule, { simd }: { simd: boolean }): string[] {
  const found: string[] = [];
  for (const section of module.sections) {
    if (FORBIDDEN_SECTIONS.includes(section)) found.push(`section: ${section}`);
    if (section.startsWith("custom:")) found.push(`custom section: ${section.slice("custom:".length)}`);
  }

  const imports = module.imports.map(({ module, name }) => `${module}.${name}`);
  if (imports.sort().join() !== "env.memory,env.now") found.push(`imports: ${imports.join(", ")}`);
  for (const { name, description } of module.imports) {
    if (description.kind === "memory") {
      const { initial, maximum, shared, memory64 } = description.limits;
      if (!shared) found.push("the memory is not shared");
      if (memory64) found.push("the memory is 64-bit");
      if (initial > 1) found.push(`initial pages: ${initial}`);
      if (maximum !== layout.MAX_PAGES) found.push(`maximum pages: ${maximum}`);
    } else if (description.kind === "function" && name === "now") {
      if (signature(description.type) !== "() -> f64") found.push(`env.now is ${signature(description.type)}`);
    }
  }

  for (const { mutable } of module.globals) if (mutable) found.push("mutable global");
  const expected = new Set(Object.keys(FUNCTIONS));
  for (const entry of module.exports) {
    if (FORBIDDEN_EXPORTS.includes(entry.name)) found.push(`export: ${entry.name}`);
    else if (entry.kind === "memory" || entry.kind === "table") found.push(`exported ${entry.kind}: ${entry.name}`);
    if (entry.kind !== "function") continue;
    const type = signature(exportedFunctionType(module, entry));
    const wanted = FUNCTIONS[entry.name];
    if (wanted === undefined) found.push(`exported function: ${entry.name}`);
    else if (type !== signature(wanted)) found.push(`${entry.name} is ${type}`);
    expected.delete(entry.name);
  }
  for (const name of expected) found.push(`missing export: ${name}`);

  for (const instruction of allInstructions(module)) {
    const name = forbiddenInstruction(instruction);
    if (name !== undefined) found.push(`instruction: ${name}`);
  }
  if (!simd && usesSimd(module)) found.push("SIMD");
  return [...new Set(found)];
}

function signature({ parameters, results }: FunctionType): string {
  return `(${parameters.join(", ")}) -> ${results.join(", ") || "()"}`;
}

function forbiddenInstruction({ opcode, sub = 0 }: Instruction): string | undefined {
  if (opcode === 0x24) return "global.set";
  if (opcode === 0x40) return "memory.grow";
  if (opcode === 0x11) return "call_indirect";
  if (opcode === BULK && sub === 8) return "memory.init";
  if (opcode === BULK && sub === 9) return "data.drop";
  if (opcode === ATOMIC && sub === 3) return "atomic.fence";
  if (opcode === SIMD && sub >= 0x100) return `relaxed SIMD 0x${sub.toString(16)}`;
  return undefined;
}

function usesSimd(module: WasmModule): boolean {
  const types = [
    ...module.types.flatMap(({ parameters, results }) => [...parameters, ...results]),
    ...module.bodies.flatMap(({ locals }) => locals),
    ...module.globals.map(({ type }) => type),
  ];
  return types.includes("v128") || allInstructions(module).some(({ opcode }) => opcode === SIMD);
}

function uses(module: WasmModule, prefix: number, sub: number): boolean {
  return allInstructions(module).some((instruction) => instruction.opcode === prefix && instruction.sub === sub);
}

describe("the published kernels", () => {
  const simd = parseWasm(kernelBytes("simd"));
  const scalar = parseWasm(kernelBytes("scalar"));

  test("the SIMD build keeps every rule of the ABI", () => {
    expect(violations(simd, { simd: true })).toEqual([]);
    expect(usesSimd(simd)).toBe(true);
  });

  test("the scalar build keeps every rule of the ABI, and needs no SIMD", () => {
    expect(violations(scalar, { simd: false })).toEqual([]);
  });

  test.each([
    ["SIMD", simd],
    ["scalar", scalar],
  ])("the %s build counts in 64 bits, and waits and wakes", (_, module) => {
    expect(uses(module, ATOMIC, 0x1f), "i64.atomic.rmw.add").toBe(true);
    expect(uses(module, ATOMIC, 0x1e), "i32.atomic.rmw.add").toBe(true);
    expect(uses(module, ATOMIC, 0x01), "memory.atomic.wait32").toBe(true);
    expect(uses(module, ATOMIC, 0x00), "memory.atomic.notify").toBe(true);
  });

  test("each build is smaller than 16 KiB", () => {
    const sizes = { simd: kernelBytes("simd").length, scalar: kernelBytes("scalar").length };
    console.log(`kernel.wasm ${sizes.simd} bytes, kernel-scalar.wasm ${sizes.scalar} bytes`);
    for (const size of Object.values(sizes)) expect(size).toBeLessThan(16 * 1024);
  });

  test("the serial build, the benchmark's baseline, has no atomic instruction and a memory of its own", () => {
    const serial = parseWasm(kernelBytes("serial"));
    expect(violations(serial, { simd: true })).toEqual(["the memory is not shared"]);
    expect(allInstructions(serial).filter(({ opcode }) => opcode === ATOMIC)).toEqual([]);
    expect(usesSimd(serial)).toBe(true);
  });
});

describe("the gate", () => {
  const features = binaryen.Features;
  const FEATURES =
    features.Atomics |
    features.BulkMemory |
    features.ExceptionHandling |
    features.Memory64 |
    features.MutableGlobals |
    features.ReferenceTypes |
    features.RelaxedSIMD |
    features.SIMD128 |
    features.TailCall;

  interface Parts {
    memory?: string;
    now?: string;
    work?: string;
    more?: string;
    body?: string;
    custom?: string;
  }

  /** The least module that keeps every rule, with a part of it replaced. */
  function moduleWith(parts: Parts = {}): WasmModule {
    const {
      memory = '(import "env" "memory" (memory 1 65536 shared))',
      now = '(import "env" "now" (func $now (result f64)))',
      work = '(func (export "work") (param i32) (result i32) (i32.const 4))',
      more = "",
      body = "",
      custom,
    } = parts;
    const text = `(module
      ${now}
      ${memory}
      ${more}
      ${work}
      (func (export "park") (param i32 i32) (result i32) (i32.const -1))
      (func (export "publish") (result i32) (i32.const 1))
      (func (export "stop") (param i32) ${body})
      (func (export "close"))
      (global (export "ABI_VERSION") i32 (i32.const 1)))`;
    const module = binaryen.parseText(text);
    module.setFeatures(FEATURES);
    if (custom !== undefined) module.addCustomSection(custom, new Uint8Array(1));
    const bytes = module.emitBinary();
    module.dispose();
    return parseWasm(bytes);
  }

  test("lets the least possible kernel pass", () => {
    expect(violations(moduleWith(), { simd: false })).toEqual([]);
  });

  const bad: [violation: string, parts: Parts][] = [
    ["imports: env.abort, env.memory, env.now", { more: '(import "env" "abort" (func))' }],
    ["imports: env.memory", { now: "" }],
    ["imports: env.now", { memory: "" }],
    ["env.now is () -> i32", { now: '(import "env" "now" (func $now (result i32)))' }],
    ["the memory is not shared", { memory: '(import "env" "memory" (memory 1 65536))' }],
    ["the memory is 64-bit", { memory: '(import "env" "memory" (memory i64 1 65536 shared))' }],
    ["maximum pages: 256", { memory: '(import "env" "memory" (memory 1 256 shared))' }],
    ["initial pages: 17", { memory: '(import "env" "memory" (memory 17 65536 shared))' }],
    ["section: memory", { memory: "(memory 1 65536 shared)" }],
    ["section: data", { more: '(data (i32.const 0) "a")' }],
    ["section: data count", { more: '(data "a")', body: "(data.drop 0)" }],
    ["section: table", { more: "(table 1 funcref)" }],
    ["section: element", { more: "(table 1 funcref) (elem (i32.const 0) func $now)" }],
    ["section: start", { more: "(func $begin) (start $begin)" }],
    ["section: tag", { more: "(tag $failed)" }],
    ["custom section: producers", { custom: "producers" }],
    ["mutable global", { more: "(global $top (mut i32) (i32.const 0))" }],
    [
      "instruction: global.set",
      { more: "(global $top (mut i32) (i32.const 0))", body: "(global.set $top (i32.const 1))" },
    ],
    ["exported function: __new", { more: '(func (export "__new"))' }],
    ["missing export: work", { work: "" }],
    ["work is (i64) -> i32", { work: '(func (export "work") (param i64) (result i32) (i32.const 4))' }],
    ["export: __heap_base", { more: '(global (export "__heap_base") i32 (i32.const 0))' }],
    ["export: __data_end", { more: '(global (export "__data_end") i32 (i32.const 0))' }],
    ["export: __stack_pointer", { more: '(global (export "__stack_pointer") i32 (i32.const 0))' }],
    ["export: memory", { more: '(export "memory" (memory 0))' }],
    ["exported memory: heap", { more: '(export "heap" (memory 0))' }],
    ["instruction: memory.grow", { body: "(drop (memory.grow (i32.const 1)))" }],
    ["instruction: call_indirect", { more: "(table 1 funcref)", body: "(call_indirect (i32.const 0))" }],
    ["instruction: atomic.fence", { body: "(atomic.fence)" }],
    ["instruction: data.drop", { more: '(data "a")', body: "(data.drop 0)" }],
    [
      "instruction: memory.init",
      { more: '(data "a")', body: "(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))" },
    ],
    [
      "instruction: relaxed SIMD 0x107",
      { body: "(local v128) (local.set 1 (f64x2.relaxed_madd (local.get 1) (local.get 1) (local.get 1)))" },
    ],
  ];

  test.each(bad)("names “%s”", (violation, parts) => {
    expect(violations(moduleWith(parts), { simd: false })).toContain(violation);
  });

  test.each<[where: string, parts: Parts]>([
    ["a local", { body: "(local v128)" }],
    ["a parameter", { more: "(func (param v128))" }],
    ["an instruction", { body: "(drop (i64x2.bitmask (i64x2.splat (i64.const 0))))" }],
  ])("finds SIMD in %s", (_, parts) => {
    expect(violations(moduleWith(parts), { simd: false })).toEqual(["SIMD"]);
    expect(violations(moduleWith(parts), { simd: true })).toEqual([]);
  });

  test("refuses an opcode that it does not know", () => {
    expect(() => moduleWith({ body: "(return_call 0)", now: '(import "env" "now" (func $now))' })).toThrow(
      "unknown opcode 0x12",
    );
  });
});
