// Reads a WebAssembly binary: as much of the format as a test of the kernel's ABI asks for, from the bytes themselves.
//
// The format: https://webassembly.github.io/spec/core/binary. What this does not know is an error, never skipped.

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "externref";

export interface FunctionType {
  parameters: ValueType[];
  results: ValueType[];
}

export interface Limits {
  /** In pages. */
  initial: number;
  maximum: number | undefined;
  shared: boolean;
  memory64: boolean;
}

export interface Import {
  module: string;
  name: string;
  description:
    | { kind: "function"; type: FunctionType }
    | { kind: "memory"; limits: Limits }
    | { kind: "global"; type: ValueType; mutable: boolean }
    | { kind: "table" };
}

export interface Export {
  name: string;
  kind: "function" | "table" | "memory" | "global";
  index: number;
}

export interface Global {
  type: ValueType;
  mutable: boolean;
}

/** A code section's function. */
export interface Body {
  locals: ValueType[];
  instructions: Instruction[];
}

export interface Instruction {
  /** The opcode; of a prefixed instruction the prefix. */
  opcode: number;
  /** The number behind the prefix 0xfc, 0xfd or 0xfe. */
  sub: number | undefined;
}

export interface WasmModule {
  /** The names of all sections, in their order; of a custom section "custom:" and its name. */
  sections: string[];
  types: FunctionType[];
  imports: Import[];
  exports: Export[];
  /** The module's own, without imported ones. */
  globals: Global[];
  /** The module's own, without imported ones. */
  functions: FunctionType[];
  bodies: Body[];
}

/** Prefixes. */
export const BULK = 0xfc;
export const SIMD = 0xfd;
export const ATOMIC = 0xfe;

const SECTIONS = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
  "data count",
  "tag",
] as const;

const VALUE_TYPES: Readonly<Record<number, ValueType>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

/** Parses a whole module. */
export function parseWasm(bytes: Uint8Array): WasmModule {
  const reader = new Reader(bytes);
  if (reader.u32() !== 0x6d736100 || reader.u32() !== 1) throw new Error("not a WebAssembly module of version 1");
  const module: WasmModule = {
    sections: [],
    types: [],
    imports: [],
    exports: [],
    globals: [],
    functions: [],
    bodies: [],
  };
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.part(reader.leb());
    const name = SECTIONS[id];
    if (name === undefined) throw new Error(`unknown section ${id}`);
    if (name === "custom") {
      module.sections.push(`custom:${section.name()}`);
      continue;
    }
    module.sections.push(name);
    if (name === "type") module.types = section.vector(() => section.functionType());
    else if (name === "import") module.imports = section.vector(() => section.import(module.types));
    else if (name === "function") module.functions = section.vector(() => at(module.types, section.leb()));
    else if (name === "global") module.globals = section.vector(() => section.global());
    else if (name === "export") module.exports = section.vector(() => section.export());
    else if (name === "code") module.bodies = section.vector(() => section.part(section.leb()).body());
    else continue;
    if (!section.done) throw new Error(`the ${name} section has bytes behind its end`);
  }
  return module;
}

/** The type of an exported function. */
export function exportedFunctionType(module: WasmModule, { index }: Export): FunctionType {
  const imported = module.imports.flatMap(({ description }) =>
    description.kind === "function" ? [description.type] : [],
  );
  return at([...imported, ...module.functions], index);
}

/** All instructions of a module, in the order of the code. */
export function allInstructions(module: WasmModule): Instruction[] {
  return module.bodies.flatMap(({ instructions }) => instructions);
}

function at<T>(array: readonly T[], index: number): T {
  const element = array[index];
  if (element === undefined) throw new Error(`no element ${index} among ${array.length}`);
  return element;
}

class Reader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#position === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#position++];
    if (byte === undefined) throw new Error("the module ends too early");
    return byte;
  }

  skip(bytes: number): void {
    if (this.#position + bytes > this.#bytes.length) throw new Error("the module ends too early");
    this.#position += bytes;
  }

  /** The next bytes as a reader of their own. */
  part(length: number): Reader {
    const begin = this.#position;
    this.skip(length);
    return new Reader(this.#bytes.subarray(begin, this.#position));
  }

  u32(): number {
    return this.byte() + this.byte() * 2 ** 8 + this.byte() * 2 ** 16 + this.byte() * 2 ** 24;
  }

  /** An unsigned LEB128 number. Of a signed one only the length is right. */
  leb(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  vector<T>(element: () => T): T[] {
    return Array.from({ length: this.leb() }, element);
  }

  name(): string {
    const length = this.leb();
    const begin = this.#position;
    this.skip(length);
    return new TextDecoder().decode(this.#bytes.subarray(begin, this.#position));
  }

  valueType(): ValueType {
    const byte = this.byte();
    const type = VALUE_TYPES[byte];
    if (type === undefined) throw new Error(`unknown value type 0x${byte.toString(16)}`);
    return type;
  }

  functionType(): FunctionType {
    const form = this.byte();
    if (form !== 0x60) throw new Error(`unknown form of type 0x${form.toString(16)}`);
    return { parameters: this.vector(() => this.valueType()), results: this.vector(() => this.valueType()) };
  }

  import(types: readonly FunctionType[]): Import {
    const module = this.name();
    const name = this.name();
    const kind = this.byte();
    if (kind === 0) return { module, name, description: { kind: "function", type: at(types, this.leb()) } };
    if (kind === 1) {
      this.valueType();
      this.limits();
      return { module, name, description: { kind: "table" } };
    }
    if (kind === 2) return { module, name, description: { kind: "memory", limits: this.limits() } };
    if (kind === 3) {
      return { module, name, description: { kind: "global", type: this.valueType(), mutable: this.byte() === 1 } };
    }
    throw new Error(`import ${module}.${name} is of unknown kind ${kind}`);
  }

  limits(): Limits {
    const flags = this.byte();
    if (flags > 7) throw new Error(`unknown flags of limits ${flags}`);
    return {
      initial: this.leb(),
      maximum: flags & 1 ? this.leb() : undefined,
      shared: (flags & 2) !== 0,
      memory64: (flags & 4) !== 0,
    };
  }

  global(): Global {
    const global = { type: this.valueType(), mutable: this.byte() === 1 };
    this.expression();
    return global;
  }

  export(): Export {
    const name = this.name();
    const kind = (["function", "table", "memory", "global"] as const)[this.byte()];
    if (kind === undefined) throw new Error(`export ${name} is of an unknown kind`);
    return { name, kind, index: this.leb() };
  }

  body(): Body {
    const locals = this.vector(() => {
      const count = this.leb();
      return Array.from<ValueType>({ length: count }).fill(this.valueType());
    }).flat();
    const instructions = this.expression();
    if (!this.done) throw new Error("a function has bytes behind its end");
    return { locals, instructions };
  }

  /** Instructions to the `end` that closes them. */
  expression(): Instruction[] {
    const instructions: Instruction[] = [];
    for (let depth = 1; depth > 0; ) {
      const opcode = this.byte();
      const sub = opcode === BULK || opcode === SIMD || opcode === ATOMIC ? this.leb() : undefined;
      const immediates = sub === undefined ? immediatesOf(opcode) : prefixedImmediatesOf(opcode, sub);
      for (const immediate of immediates) this.#skipImmediate(immediate);
      instructions.push({ opcode, sub });
      if (opcode === 0x02 || opcode === 0x03 || opcode === 0x04)
        depth++; // block, loop, if
      else if (opcode === 0x0b) depth--; // end
    }
    return instructions;
  }

  /** Skips a part of what follows an opcode. */
  #skipImmediate(kind: Immediate): void {
    if (kind === "number") this.leb();
    else if (kind === "numbers") this.vector(() => this.leb());
    else if (kind === "types") this.vector(() => this.valueType());
    else if (kind === "memory argument") {
      const alignment = this.leb();
      if (alignment & 64) this.leb(); // index of the memory
      this.leb();
    } else this.skip(kind);
  }
}

/** What follows an opcode. A number of bytes, or something of its own length. */
type Immediate = number | "number" | "numbers" | "types" | "memory argument";

/** What follows an opcode without a prefix. */
function immediatesOf(opcode: number): readonly Immediate[] {
  if (opcode >= 0x45 && opcode <= 0xc4) return []; // comparisons, arithmetic, conversions
  if (opcode >= 0x28 && opcode <= 0x3e) return ["memory argument"]; // loads and stores
  const immediates = IMMEDIATES[opcode];
  if (immediates === undefined) throw new Error(`unknown opcode 0x${opcode.toString(16)}`);
  return immediates;
}

const IMMEDIATES: Readonly<Record<number, readonly Immediate[]>> = {
  0: [], // unreachable
  1: [], // nop
  2: ["number"], // block
  3: ["number"], // loop
  4: ["number"], // if
  5: [], // else
  11: [], // end
  12: ["number"], // br
  13: ["number"], // br_if
  14: ["numbers", "number"], // br_table
  15: [], // return
  16: ["number"], // call
  17: ["number", "number"], // call_indirect
  26: [], // drop
  27: [], // select
  28: ["types"], // select with types
  32: ["number"], // local.get
  33: ["number"], // local.set
  34: ["number"], // local.tee
  35: ["number"], // global.get
  36: ["number"], // global.set
  37: ["number"], // table.get
  38: ["number"], // table.set
  63: ["number"], // memory.size
  64: ["number"], // memory.grow
  65: ["number"], // i32.const
  66: ["number"], // i64.const
  67: [4], // f32.const
  68: [8], // f64.const
  208: ["number"], // ref.null
  209: [], // ref.is_null
  210: ["number"], // ref.func
};

/** What follows an opcode with a prefix. */
function prefixedImmediatesOf(prefix: number, sub: number): readonly Immediate[] {
  if (prefix === ATOMIC) {
    if (sub === 3) return [1]; // atomic.fence
    if (sub <= 2 || (sub >= 16 && sub <= 78)) return ["memory argument"];
  } else if (prefix === SIMD) {
    if (sub <= 11 || sub === 92 || sub === 93) return ["memory argument"]; // loads and stores
    if (sub === 12 || sub === 13) return [16]; // v128.const, i8x16.shuffle
    if (sub >= 21 && sub <= 34) return [1]; // a lane
    if (sub >= 84 && sub <= 91) return ["memory argument", 1]; // a lane in memory
    if (sub <= 0x113) return [];
  } else {
    if (sub <= 7) return []; // saturating truncations
    const indices = [2, 1, 2, 1, 2, 1, 2, 1, 1, 1][sub - 8]; // memory.init … table.fill
    if (indices !== undefined) return Array.from<Immediate>({ length: indices }).fill("number");
  }
  throw new Error(`unknown opcode 0x${prefix.toString(16)} 0x${sub.toString(16)}`);
}
