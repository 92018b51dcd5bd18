// What the tests use of the WebAssembly API beyond the engine's slice of it, ../src/wasm.d.ts.

declare namespace WebAssembly {
  interface Global {
    readonly value: number;
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  const Global: { new (descriptor: { value: string; mutable?: boolean }, value?: number): Global; prototype: Global };
  const Instance: { new (module: Module, imports: Record<string, Record<string, unknown>>): Instance };
}
