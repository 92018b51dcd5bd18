// What is in an engine's way on a page: each kind of it has a code and a sentence of its own, in an error of createEngine
// where a mode is insisted on, in engine.modeReason where there is another, and in diagnose().

import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import type { EngineOptions, Mode, ProblemCode } from "../src/types.ts";
import type { SiteServer, SiteServerOptions } from "../web/server.ts";
import { browsers, closeBrowsers, INSECURE_HOST, inPage } from "./browser/drive.ts";
import { createTestSite } from "./browser/site.ts";

/** Milliseconds within which a page is to know what is the matter. */
const LIMIT_MS = 2000;

const all = await browsers();
const servers: SiteServer[] = [];

afterAll(async () => {
  await closeBrowsers();
  await Promise.all(servers.map((server) => server.close()));
});

async function site(options: SiteServerOptions): Promise<SiteServer> {
  const server = await createTestSite(options);
  servers.push(server);
  return server;
}

interface Failure {
  what: string;
  code: ProblemCode;
  /** What the sentence has to say. */
  says: RegExp;
  /** The mode that is left, if any. */
  left: Mode | undefined;
  site?: SiteServerOptions;
  /** Runs in the page before anything else. */
  before?: string;
  /** The name that the page is asked for by. */
  host?: string;
  options?: EngineOptions;
}

const WORKER = "/dist/worker.js";
const KERNELS = ["/dist/kernel.wasm", "/dist/kernel-scalar.wasm"];
const kernels = (route: NonNullable<SiteServerOptions["routes"]>[string]) =>
  Object.fromEntries(KERNELS.map((path) => [path, route]));

/** The kernel with another byte in its last function's code: well-formed or not, it is not the one that was built. */
const changed = readFileSync(new URL("../dist/kernel.wasm", import.meta.url));
changed[changed.length - 20] = (changed[changed.length - 20] as number) ^ 1;

const page = (headers: Record<string, string | null>) => ({ routes: { "/": { headers } } });

/** Pages that the self-test takes at most, and a pool at least. */
const SELF_TEST_PAGES = 8;

/** A program that lets the page have no memory of more than so many pages. */
function refuseMemories(pages: number): string {
  return `{
    const Memory = WebAssembly.Memory;
    WebAssembly.Memory = function (limits) {
      if (limits.maximum > ${pages}) throw new RangeError("could not allocate memory");
      return new Memory(limits);
    };
  }`;
}

const FAILURES: Failure[] = [
  {
    what: "a page without the headers",
    code: "not-isolated",
    says: /no header Cross-Origin-Opener-Policy.*no header Cross-Origin-Embedder-Policy/,
    left: "isolated",
    site: { headers: "none" },
  },
  {
    what: "a page without the opener's header",
    code: "not-isolated",
    says: /no header Cross-Origin-Opener-Policy \(send Cross-Origin-Opener-Policy: same-origin\)\.$/,
    left: "isolated",
    site: page({ "Cross-Origin-Opener-Policy": null }),
  },
  {
    what: "a page with the embedder's header twice",
    code: "not-isolated",
    says: /Cross-Origin-Embedder-Policy is "require-corp, require-corp" \(send Cross-Origin-Embedder-Policy: require-corp\)/,
    left: "isolated",
    site: page({ "Cross-Origin-Embedder-Policy": "require-corp, require-corp" }),
  },
  {
    what: "a page that is not secure",
    code: "insecure-context",
    says: /came by http:\/\/insecure\.test.*HTTPS/,
    left: "isolated",
    site: { hosts: [INSECURE_HOST] },
    host: INSECURE_HOST,
  },
  {
    what: "a policy that forbids WebAssembly",
    code: "csp-wasm",
    says: /'wasm-unsafe-eval'/,
    left: undefined,
    site: { policy: { "script-src": "'self'" } },
  },
  {
    what: "a policy that forbids workers",
    code: "csp-worker",
    says: /forbids the worker .*\/dist\/worker\.js: add 'self' to its worker-src/,
    left: "single",
    site: { policy: { "worker-src": "'none'" } },
  },
  {
    what: "a policy that forbids to fetch",
    code: "csp-connect",
    says: /forbids to fetch the kernel.*connect-src/,
    left: undefined,
    site: { policy: { "connect-src": "'none'" } },
  },
  {
    what: "Trusted Types without the engine's",
    code: "trusted-types",
    says: /add allcores to the trusted-types/,
    left: "single",
    site: { policy: { "trusted-types": "another" } },
  },
  {
    what: "a worker's script that is not there",
    code: "worker-missing",
    says: /\/dist\/worker\.js, which answers with status 404/,
    left: "single",
    site: { routes: { [WORKER]: { status: 404 } } },
  },
  {
    what: "a page in place of the worker's script",
    code: "worker-type",
    says: /\/dist\/worker\.js, which answers with text\/html/,
    left: "single",
    site: { routes: { [WORKER]: { body: "<!doctype html>", type: "text/html" } } },
  },
  {
    what: "a worker's script without the page's header",
    code: "worker-coep",
    says: /without the header Cross-Origin-Embedder-Policy/,
    left: "single",
    site: { routes: { [WORKER]: { headers: { "Cross-Origin-Embedder-Policy": null } } } },
  },
  {
    what: "a worker's script that does not parse",
    code: "worker-start",
    says: /worker/i,
    left: "single",
    site: { routes: { [WORKER]: { body: "export {" } } },
  },
  {
    what: "a worker's script that does not come",
    code: "worker-start",
    says: /500 ms/,
    left: "single",
    site: { routes: { [WORKER]: { delayMs: 60_000 } } },
    options: { startTimeout: 500 },
  },
  {
    what: "a kernel that is not there",
    code: "kernel-missing",
    says: /\/dist\/kernel(-scalar)?\.wasm, which answers with status 404/,
    left: undefined,
    site: { routes: kernels({ status: 404 }) },
  },
  {
    what: "a page in place of the kernel",
    code: "kernel-type",
    says: /\/dist\/kernel(-scalar)?\.wasm, which answers with text\/html/,
    left: undefined,
    site: { routes: kernels({ body: "<!doctype html>", type: "text/html; charset=utf-8" }) },
  },
  {
    what: "another kernel than the built one",
    code: "kernel-integrity",
    says: /hash is not sha256-/,
    left: undefined,
    site: { routes: kernels({ body: changed }) },
  },
  {
    what: "a kernel that does not come",
    code: "kernel",
    says: /not loaded within 500 ms/,
    left: undefined,
    site: { routes: kernels({ delayMs: 60_000 }) },
    options: { startTimeout: 500 },
  },
  {
    what: "a browser that refuses every memory",
    code: "memory",
    says: /memory/,
    left: undefined,
    before: refuseMemories(0),
  },
  {
    what: "a browser that refuses the memory to share",
    code: "memory",
    says: /memory/,
    left: "isolated",
    before: refuseMemories(SELF_TEST_PAGES),
  },
];

/** What createEngine made of it, or its error. */
interface Attempt {
  mode?: Mode;
  code: string;
  message: string;
  ms: number;
}

const ATTEMPTS = `
  const attempt = async (options) => {
    const begin = performance.now();
    const ms = () => performance.now() - begin;
    try {
      const engine = await createEngine(options);
      const { mode, modeReason } = engine;
      const result = { mode, ...modeReason, ms: ms() };
      await engine.close();
      return result;
    } catch ({ code, message }) {
      return { code, message, ms: ms() };
    }
  };
  const insisted = await attempt({ ...input, mode: "shared" });
  const best = await attempt(input);
  const begin = performance.now();
  const diagnosis = input.startTimeout ? undefined : await diagnose();
  return { insisted, best, diagnosis, ms: performance.now() - begin };`;

describe.each(all.map((browser) => [browser.label, browser] as const))("in %s", (_, browser) => {
  test.each(FAILURES.map((failure) => [failure.what, failure.code, failure] as const))(
    "%s: %s, by its code and sentence, within two seconds",
    async (_, code, { says, left, site: served = {}, before, host = "127.0.0.1", options = {} }) => {
      const { port } = await site(served);
      const { page, close } = await browser.open({ url: `http://${host}:${port}/` });
      if (before !== undefined) await page.evaluate(before);
      const { insisted, best, diagnosis, ms } = await inPage<{
        insisted: Attempt;
        best: Attempt;
        diagnosis: { mode?: Mode; problems: { code: string; message: string }[] } | undefined;
        ms: number;
      }>(page, ATTEMPTS, { threads: 2, ...options });
      const error = { code: `E_${code.replaceAll("-", "_").toUpperCase()}`, message: expect.stringMatching(says) };
      expect(insisted).toMatchObject(error);
      if (left === undefined) expect(best).toMatchObject(error);
      else expect(best).toMatchObject({ mode: left, code });
      if (diagnosis !== undefined) {
        expect(diagnosis.mode).toBe(left);
        expect(diagnosis.problems).toContainEqual({ code, message: expect.stringMatching(says) });
      }
      for (const time of [insisted.ms, best.ms, ms]) expect(time).toBeLessThan(LIMIT_MS);
      await close();
    },
  );

  test("a worker's script of another origin: worker-origin", async () => {
    const { port } = await site({ policy: null });
    const elsewhere = await site({
      policy: null,
      routes: { [WORKER]: { headers: { "Cross-Origin-Resource-Policy": "cross-origin" } } },
    });
    const { page, close } = await browser.open({ url: `http://127.0.0.1:${port}/` });
    const { insisted, best } = await inPage<{ insisted: Attempt; best: Attempt }>(page, ATTEMPTS, {
      workerUrl: `${elsewhere.origin}${WORKER}`,
    });
    expect(insisted).toMatchObject({
      code: "E_WORKER_ORIGIN",
      message: expect.stringContaining("its own origin only"),
    });
    expect(best).toMatchObject({ mode: "single", code: "worker-origin" });
    for (const { ms } of [insisted, best]) expect(ms).toBeLessThan(LIMIT_MS);
    await close();
  });

  test("what nothing is in the way of has no problem, and the best mode", async () => {
    const { origin } = await site({});
    const { page, problems, close } = await browser.open({ url: origin });
    expect(await inPage(page, "return diagnose();")).toMatchObject({
      mode: "shared",
      problems: [],
      threads: true,
      simd: true,
    });
    expect(problems).toEqual([]);
    await close();
  });

  test("where the browser refuses a large memory, a smaller one is shared", async () => {
    const { origin } = await site({});
    const { page, problems, close } = await browser.open({ url: origin });
    await page.evaluate(refuseMemories(1000));
    const picture = "const { counts } = await engine.mandelbrot({ width: 100, height: 100 });";
    const program = `const engine = await createEngine({ threads: 2 }); ${picture} await engine.close();
      return [engine.mode, engine.modeReason.code, counts.length];`;
    expect(await inPage(page, program)).toEqual(["shared", "threads-available", 10_000]);
    expect(problems).toEqual([]);
    await close();
  });
});
