// What a page's caller may say of the engine's files, and what he is told if it is wrong. That they load is tested in browsers.

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { EngineError } from "../src/errors.ts";
import { filesOf, type OwnFiles } from "../web/files.ts";

beforeAll(() => {
  vi.stubGlobal("location", new URL("https://page.example/app/"));
  vi.stubGlobal("Worker", FakeWorker);
});
afterAll(() => void vi.unstubAllGlobals());

const OWN_URL = "https://page.example/assets/worker.js";

class FakeWorker {
  static made: string[] = [];
  constructor(url: string) {
    FakeWorker.made.push(String(url));
  }
  postMessage(): void {}
  terminate(): void {}
  addEventListener(): void {}
}

const own: OwnFiles = {
  kernel: (build) => ({ url: `https://page.example/assets/${build}.wasm`, integrity: "sha256-x" }),
  // As `new Worker` does, which is looked up anew each time.
  startWorker: () => new (globalThis as unknown as { Worker: typeof FakeWorker }).Worker(OWN_URL),
};

const EMPTY = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));

describe("without options", () => {
  test("the files are the package's own", () => {
    const files = filesOf({}, own);
    expect(files.kernel).toBe(own.kernel);
    expect(files.workerUrl()).toBe(OWN_URL);
    expect(FakeWorker.made).toEqual([]); // asking for the address starts nothing
    expect(files.startWorker()).toBeInstanceOf(FakeWorker);
  });
});

describe("with options", () => {
  test.each([
    ["w.js", "https://page.example/app/w.js"],
    ["/w.js", "https://page.example/w.js"],
    [new URL("https://cdn.example/w.js"), "https://cdn.example/w.js"],
  ])("an address is relative to the page: %s", (workerUrl, expected) => {
    const files = filesOf({ workerUrl }, own);
    expect(files.workerUrl()).toBe(expected);
    files.startWorker();
    expect(FakeWorker.made.at(-1)).toBe(expected);
  });

  test("createWorker is called with the address, the caller's or the package's", () => {
    const asked: string[] = [];
    const worker = new FakeWorker("x");
    const createWorker = (url: string) => {
      asked.push(url);
      return worker;
    };
    expect(filesOf({ createWorker }, own).startWorker()).toBe(worker);
    filesOf({ createWorker, workerUrl: "/w.js" }, own).startWorker();
    expect(asked).toEqual([OWN_URL, "https://page.example/w.js"]);
  });

  test("what createWorker returns has to be a worker", () => {
    for (const [returned, shown] of [
      [undefined, "undefined"],
      ["w.js", '"w.js"'],
      [{ postMessage() {} }, "an object"],
    ] as const) {
      const { startWorker } = filesOf({ createWorker: () => returned }, own);
      expect(startWorker).toThrow(`"createWorker" is to return a Worker, and returned ${shown}`);
    }
  });

  test("a kernel's address is loaded unchecked, unless it comes with an integrity", () => {
    const url = "https://page.example/k.wasm";
    expect(filesOf({ wasmUrl: "/k.wasm" }, own).kernel).toEqual({ url, integrity: undefined });
    const wasmIntegrity = "sha384-abc+/012==";
    expect(filesOf({ wasmUrl: "/k.wasm", wasmIntegrity }, own).kernel).toEqual({ url, integrity: wasmIntegrity });
  });

  test("a compiled kernel is taken as it is", () => {
    expect(filesOf({ wasmModule: EMPTY }, own).kernel).toEqual({ module: EMPTY });
  });

  test.each([
    [{ workerUrl: 7 }, '"workerUrl" expected an address, or a URL, got 7'],
    [{ workerUrl: "" }, '"workerUrl" expected an address, or a URL, got ""'],
    [{ workerUrl: "http://" }, '"workerUrl" expected an address, or a URL, got "http://"'],
    [{ wasmUrl: {} }, '"wasmUrl" expected an address, or a URL, got an object'],
    [{ wasmUrl: null }, '"wasmUrl" expected an address, or a URL, got null'],
    [{ createWorker: "w.js" }, '"createWorker" expected a function, got "w.js"'],
    [{ wasmModule: {} }, '"wasmModule" expected a WebAssembly.Module, got an object'],
    [{ wasmModule: EMPTY, wasmUrl: "/k" }, '"wasmModule" and "wasmUrl" are two kernels: give one of them'],
    [{ wasmIntegrity: "sha256-abc=" }, '"wasmIntegrity" expected to come with a wasmUrl, which it is about'],
    [
      { wasmUrl: "/k", wasmIntegrity: "md5-abc" },
      '"wasmIntegrity" expected an integrity such as "sha256-…", in base64',
    ],
  ])("what cannot be is refused: %o", (options, message) => {
    const attempt = () => filesOf(options, own);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(EngineError);
  });
});
