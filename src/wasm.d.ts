// The slice of the WebAssembly API that the engine uses. It is declared here because TypeScript has it in lib.dom
// only, and a DOM type in src/ is to be a compile error.

declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  interface Memory {
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
  const Module: { new (bytes: ArrayBufferLike | ArrayBufferView): Module; prototype: Module };
  const Memory: { new (descriptor: { initial: number; maximum: number; shared: boolean }): Memory };
  function validate(bytes: ArrayBufferLike | ArrayBufferView): boolean;
  function compile(bytes: ArrayBufferLike | ArrayBufferView): Promise<Module>;
}
