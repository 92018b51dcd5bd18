// The static server: what it serves, with which headers, and that nothing else comes out of it. The random requests are
// seeded; for a longer run set
//
//   ALLCORES_FUZZ_REQUESTS   how many; default 3000
//   ALLCORES_FUZZ_SEED       where the random numbers begin, to repeat a run; default: the time

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CONTENT_SECURITY_POLICY,
  createSiteServer,
  HARDENING,
  ISOLATION,
  type SiteServer,
  type SiteServerOptions,
} from "../web/server.ts";
import { integer } from "./variables.ts";

const SECRET = "this is outside";
const PAGE = "<!doctype html><title>page</title>";
const SCRIPT = `${"// long enough to be compressed\n".repeat(100)}export {};\n`;

const folder = mkdtempSync(join(tmpdir(), "allcores-site-"));
const root = join(folder, "site");
const servers: SiteServer[] = [];

beforeAll(() => {
  mkdirSync(join(root, "assets"), { recursive: true });
  mkdirSync(join(root, ".git"));
  writeFileSync(join(folder, "secret.txt"), SECRET);
  writeFileSync(join(root, ".git/config"), SECRET);
  writeFileSync(join(root, ".env"), SECRET);
  symlinkSync(join(folder, "secret.txt"), join(root, "link.txt"));
  symlinkSync(folder, join(root, "up"));
  writeFileSync(join(root, "index.html"), PAGE);
  writeFileSync(join(root, "two words.txt"), "two words");
  for (const name of ["script.js", "assets/script-0aZ_9-xy.js"]) writeFileSync(join(root, name), SCRIPT);
  for (const name of ["kernel.wasm", "style.css", "icon.svg", "data.json", "picture.png", "thing.unknown"]) {
    writeFileSync(join(root, name), name);
  }
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

async function serve(options: SiteServerOptions = { root }): Promise<SiteServer> {
  const server = await createSiteServer(options);
  servers.push(server);
  return server;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Writes bytes to a connection, and reads what comes until the server closes it: no client tidies either of them up. With
 * `end` the server is told that no more will come.
 */
async function exchange({ port }: SiteServer, request: string, end = false): Promise<Answer[]> {
  const socket = connect(port, "127.0.0.1");
  socket.write(Buffer.from(request, "latin1"));
  if (end) socket.end();
  const received = await text(socket.on("error", () => {})).catch(() => ""); // a reset is an answer, too
  return received
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((part) => part !== "")
    .map((part) => {
      const [head = "", ...rest] = part.split("\r\n\r\n");
      const [first = "", ...lines] = head.split("\r\n");
      const headers = lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.replace(/^[^:]*: /, ""),
      ]);
      return { status: Number(first.split(" ")[1]), headers: Object.fromEntries(headers), body: rest.join("\r\n\r\n") };
    });
}

/** Sends one request, and gets one answer. */
async function ask(server: SiteServer, line: string, headers: Record<string, string> = {}): Promise<Answer> {
  const all = { Host: `127.0.0.1:${server.port}`, Connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const answers = await exchange(server, `${line} HTTP/1.1\r\n${lines.join("")}\r\n`);
  expect(answers).toHaveLength(1);
  return answers[0] as Answer;
}

const lowerCase = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** What every answer of a server with the default options has to have. */
const EVERYWHERE = {
  ...lowerCase(ISOLATION.isolated),
  ...lowerCase(HARDENING),
  "content-security-policy": Object.entries(CONTENT_SECURITY_POLICY)
    .map(([name, value]) => `${name} ${value}`)
    .join("; "),
};

describe("routes", () => {
  test.each([
    ["/", "text/html; charset=utf-8", PAGE],
    ["/index.html", "text/html; charset=utf-8", PAGE],
    ["/script.js", "text/javascript; charset=utf-8", SCRIPT],
    ["/script.js?v=1&/../x", "text/javascript; charset=utf-8", SCRIPT],
    ["/kernel.wasm", "application/wasm", "kernel.wasm"],
    ["/style.css", "text/css; charset=utf-8", "style.css"],
    ["/icon.svg", "image/svg+xml", "icon.svg"],
    ["/data.json", "application/json", "data.json"],
    ["/picture.png", "image/png", "picture.png"],
    ["/two%20words.txt", "text/plain; charset=utf-8", "two words"],
    ["/thing.unknown", "application/octet-stream", "thing.unknown"],
  ])("%s is served as %s", async (path, type, body) => {
    const answer = await ask(await serve(), `GET ${path}`);
    expect(answer).toMatchObject({ status: 200, body, headers: { "content-type": type } });
    expect(answer.headers["content-length"]).toBe(String(body.length));
  });

  test.each([
    "/nothing",
    "/assets",
    "/assets/",
    "//",
    "/../secret.txt",
    "/assets/../index.html",
    "/assets/..%2f..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%252e%252e%252fsecret.txt",
    "/..\\secret.txt",
    "/..%5csecret.txt",
    "/link.txt",
    "/up/secret.txt",
    "/.env",
    "/.git/config",
    "/index.html%00.js",
    "/two words.txt",
    "/INDEX.HTML",
    "/constructor",
    "/__proto__",
    "*",
    "http://127.0.0.1/index.html",
  ])("%s is not there", async (path) => {
    const answer = await ask(await serve(), `GET ${path}`);
    expect(path === "/two words.txt" ? 400 : 404).toBe(answer.status);
    expect(answer.body).not.toContain(SECRET);
  });

  test("what is put into the folder later is not served", async () => {
    const server = await serve();
    writeFileSync(join(root, "late.txt"), "late");
    expect(await ask(server, "GET /late.txt")).toMatchObject({ status: 404 });
    rmSync(join(root, "late.txt"));
  });

  test("one may be changed in some respect, or added", async () => {
    const server = await serve({
      root,
      routes: {
        "/kernel.wasm": { type: "text/plain" },
        "/script.js": { status: 404 },
        "/index.html": { headers: { "Cross-Origin-Embedder-Policy": null, "X-More": "more" } },
        "/new.js": { body: "export {}" },
      },
    });
    expect(await ask(server, "GET /kernel.wasm")).toMatchObject({
      headers: { "content-type": "text/plain" },
      body: "kernel.wasm",
    });
    expect(await ask(server, "GET /script.js")).toMatchObject({ status: 404 });
    const { headers } = await ask(server, "GET /index.html");
    expect(headers["x-more"]).toBe("more");
    expect(headers).not.toHaveProperty("cross-origin-embedder-policy");
    expect(await ask(server, "GET /new.js")).toMatchObject({ status: 200, body: "export {}" });
  });

  test("one that is delayed is answered then, and closing the server does not wait for it", async () => {
    const server = await serve({ routes: { "/soon": { body: "soon", delayMs: 20 }, "/late": { delayMs: 60_000 } } });
    const response = await fetch(`${server.origin}/soon`);
    expect(await response.text()).toBe("soon");
    const late = fetch(`${server.origin}/late`).catch((error) => error.name);
    await server.close();
    expect(await late).toBe("TypeError");
  });
});

describe("headers", () => {
  test.each<[status: number, what: string, line: string, headers?: Record<string, string>]>([
    [200, "a file", "GET /"],
    [200, "a file's headers", "HEAD /script.js"],
    [400, "a line that is none", "GET / / /"],
    [400, "a header that is none", "GET /", { "Content-Length": "x" }],
    [403, "a file that another site's page asks for", "GET /script.js", { "Sec-Fetch-Site": "cross-site" }],
    [404, "nothing", "GET /nothing"],
    [404, "nothing's headers", "HEAD /nothing"],
    [405, "a method that changes things", "DELETE /"],
    [405, "a request with a body", "POST /", { "Content-Length": "3" }],
    [405, "a method that is none", "FETCH /"],
    [405, "a tunnel", "CONNECT 127.0.0.1:80"],
    [417, "an expectation", "GET /", { Expect: "the unexpected" }],
    [421, "another host", "GET /", { Host: "example.com" }],
    [431, "a header that is too long", "GET /", { Cookie: "c".repeat(9000) }],
    [431, "a path that is too long", `GET /${"p".repeat(9000)}`],
  ])("%d, for %s, has all of them", async (status, _, line, headers) => {
    const answer = await ask(await serve(), line, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(EVERYWHERE);
    expect(answer.headers["content-type"]).toBeDefined();
    expect(answer.headers.allow).toBe(status === 405 ? "GET, HEAD" : undefined);
    if (line.startsWith("HEAD")) expect(answer.body).toBe("");
    else expect(answer.body).toHaveLength(Number(answer.headers["content-length"]));
    expect(answer.headers).not.toHaveProperty("access-control-allow-origin");
  });

  test("304, for what the client has, has all of them, and so has 200 for what changed", async () => {
    const server = await serve();
    for (const encoding of ["identity", "br", "gzip"]) {
      const accept = { "Accept-Encoding": encoding };
      const { headers } = await ask(server, "GET /script.js", accept);
      const tag = headers.etag as string;
      const again = await ask(server, "GET /script.js", { ...accept, "If-None-Match": `"other", W/${tag}` });
      expect(again).toMatchObject({ status: 304, body: "", headers: { ...EVERYWHERE, etag: tag } });
      const changed = await ask(server, "GET /script.js", { ...accept, "If-None-Match": '"other"' });
      expect(changed).toMatchObject({ status: 200, headers: EVERYWHERE });
    }
  });

  test("100-continue is answered at once, and not with a status that has no headers", async () => {
    expect(await ask(await serve(), "POST /", { Expect: "100-continue", "Content-Length": "3" })).toMatchObject({
      status: 405,
      headers: EVERYWHERE,
    });
  });

  test("the policy lets Wasm be compiled, and neither eval, inline code, blob: nor data:", () => {
    const policy = EVERYWHERE["content-security-policy"];
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).toContain("'wasm-unsafe-eval'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/'unsafe-|blob:|data:|\*/);
  });

  test("a server may be asked for other isolation, and for a policy without a directive or with another", async () => {
    const headersOf = async (options: SiteServerOptions) =>
      (await ask(await serve({ root, ...options }), "GET /nothing")).headers;
    const none = await headersOf({ headers: "none" });
    for (const name of Object.keys(lowerCase(ISOLATION.isolated))) expect(none).not.toHaveProperty(name);
    expect(none).toMatchObject(lowerCase(HARDENING));
    expect(await headersOf({ headers: "document-isolation" })).toMatchObject(
      lowerCase(ISOLATION["document-isolation"]),
    );
    const policy = async (policy: NonNullable<SiteServerOptions["policy"]> | null) =>
      (await headersOf({ policy }))["content-security-policy"];
    expect(await policy({ "worker-src": "'none'" })).toContain("; worker-src 'none';");
    expect(await policy({ "trusted-types": null })).not.toContain("trusted-types allcores");
    expect(await policy(null)).toBeUndefined();
  });

  test("what has a hash in its name may be kept for ever, and all else must be asked for again", async () => {
    const server = await serve();
    const cacheOf = async (path: string) => (await ask(server, `GET ${path}`)).headers["cache-control"];
    expect(await cacheOf("/assets/script-0aZ_9-xy.js")).toBe("public, max-age=31536000, immutable");
    expect(await cacheOf("/script.js")).toBe("no-cache");
    expect(await cacheOf("/nothing-12345678.js")).toBe("no-cache");
  });
});

describe("compression", () => {
  test.each([
    ["br", "gzip, deflate, br", (bytes: Buffer) => brotliDecompressSync(bytes)],
    ["gzip", "gzip", (bytes: Buffer) => gunzipSync(bytes)],
    ["gzip", "br;q=0, gzip;q=0.5", (bytes: Buffer) => gunzipSync(bytes)],
  ])("%s is used where a client says %s", async (encoding, accepted, decompress) => {
    const { origin } = await serve();
    const headers = { "Accept-Encoding": accepted };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${origin}/script.js`, { headers }, resolve).on("error", reject);
    });
    expect(response.headers).toMatchObject({ "content-encoding": encoding, vary: "Accept-Encoding" });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toHaveLength(Number(response.headers["content-length"]));
    expect(decompress(Buffer.concat(chunks)).toString()).toBe(SCRIPT);
  });

  test("is not used where a client refuses it, or where there is little to gain", async () => {
    const server = await serve();
    for (const accepted of ["identity", "br;q=0, gzip;q=0.0", ""]) {
      const { headers, body } = await ask(server, "GET /script.js", { "Accept-Encoding": accepted });
      expect(headers).not.toHaveProperty("content-encoding");
      expect(body).toBe(SCRIPT);
    }
    const small = await ask(server, "GET /style.css", { "Accept-Encoding": "br, gzip" });
    expect(small.headers).not.toHaveProperty("content-encoding");
  });
});

describe("who is answered", () => {
  const host = (name: string | null) => async (server: SiteServer) => {
    const line = name === null ? "" : `Host: ${name.replaceAll("PORT", String(server.port))}\r\n`;
    const [answer] = await exchange(server, `GET / HTTP/1.1\r\nConnection: close\r\n${line}\r\n`);
    return answer?.status;
  };

  test.each(["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT"])("the host %s is this server", async (name) => {
    expect(await host(name)(await serve())).toBe(200);
  });

  test.each([
    null,
    "",
    "example.com",
    "example.com:PORT",
    "localhost",
    "localhost:1",
    "localhost.example.com:PORT",
    "127.0.0.1:PORT, example.com",
    "localhost:PORT\r\nHost: localhost:PORT",
    "insecure.test:PORT",
  ])("the host %j is another", async (name) => {
    expect(await host(name)(await serve())).toBe(421);
  });

  test("a host that the server was told of is its own, too", async () => {
    expect(await host("insecure.test:PORT")(await serve({ root, hosts: ["insecure.test"] }))).toBe(200);
  });

  test("a link of another site leads here, but its pages get no file", async () => {
    const server = await serve();
    const cross = { "Sec-Fetch-Site": "cross-site" };
    expect(await ask(server, "GET /", { ...cross, "Sec-Fetch-Mode": "navigate" })).toMatchObject({ status: 200 });
    expect(await ask(server, "GET /script.js", { ...cross, "Sec-Fetch-Mode": "no-cors" })).toMatchObject({
      status: 403,
    });
    expect(await ask(server, "GET /script.js", { "Sec-Fetch-Site": "same-origin" })).toMatchObject({ status: 200 });
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal);
  test.runIf(outside)("nobody on the network reaches it", async () => {
    const { port } = await serve();
    const reached = await new Promise((resolve) => {
      const socket = connect(port, outside?.address);
      socket
        .on("connect", () => resolve("connected"))
        .on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
      socket.on("connect", () => socket.destroy());
    });
    expect(reached).toBe("ECONNREFUSED");
  });
});

const requests = integer("ALLCORES_FUZZ_REQUESTS", 3000);
const seed = integer("ALLCORES_FUZZ_SEED", Date.now() % 2 ** 31);

test(`${requests} random requests get nothing but the routes, and all headers with every status`, {
  timeout: 0,
}, async () => {
  const server = await serve();
  const bodies = new Set([PAGE, SCRIPT, "two words", ...["kernel.wasm", "style.css", "icon.svg"]]);
  for (const name of ["data.json", "picture.png", "thing.unknown"]) bodies.add(name);
  const errors = /^(?:|[A-Z][A-Za-z ]+\n)$/;

  const mostly = (usual: string, ...others: string[]) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
  const pieces = [
    "/",
    "//",
    "\\",
    "..",
    ".",
    "%2e%2e",
    "%2f",
    "%5c",
    "%252e",
    "%00",
    "\0",
    "..%c0%af",
    "?",
    "#",
    "@",
    ":",
  ];
  pieces.push(
    "index.html",
    "script.js",
    "assets",
    "up",
    "link.txt",
    "secret.txt",
    ".env",
    ".git",
    "config",
    folder,
    root,
  );
  pieces.push(
    "?raw??",
    "/@fs/",
    "/etc/passwd",
    "file:///",
    "http://localhost",
    "~",
    " ",
    "é",
    "C:",
    "__proto__",
    "toString",
  );
  const path = fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((all) => `/${all.join("")}`) },
    { weight: 1, arbitrary: fc.constantFrom("/", "/script.js", "/kernel.wasm", "/two%20words.txt") },
    { weight: 1, arbitrary: fc.webPath() },
    { weight: 1, arbitrary: fc.string({ maxLength: 30 }) },
  );
  const names = [
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "If-None-Match",
    "Accept-Encoding",
    "Expect",
    "Range",
  ];
  const values = [
    "0",
    "-1",
    "5",
    "1e9",
    "chunked",
    "identity",
    "close",
    "*",
    '"x"',
    "br",
    "gzip",
    "é",
    "\t",
    "cross-site",
  ];
  const header = fc.tuple(
    fc.constantFrom(...names, "Upgrade", "Sec-Fetch-Site", "X-Forwarded-Host", "X Y", ""),
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: fc.string() }),
  );
  const request = fc
    .record({
      method: mostly("GET", "HEAD", "POST", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "", "G\0T"),
      path,
      version: mostly("HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "", "HTTP/1.1 x"),
      host: mostly("HOST", "localhost", "evil.example", "HOST, HOST", ""),
      headers: fc.array(header, { maxLength: 2 }),
      body: mostly("", "hello", "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
      end: mostly("\r\n", "\n", ""),
    })
    .map(({ method, path, version, host, headers, body, end }) => {
      const lines = headers.map(([name, value]) => `${name}: ${value}${end}`);
      const own = host.replaceAll("HOST", `127.0.0.1:${server.port}`);
      return `${method} ${path} ${version}${end}Host: ${own}${end}${lines.join("")}${end}${body}`;
    });
  const conversation = fc.oneof(
    { weight: 9, arbitrary: fc.array(request, { minLength: 1, maxLength: 3 }).map((all) => all.join("")) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  );

  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(conversation, async (bytes) => {
      for (const { status, headers, body } of await exchange(server, bytes, true)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect(headers).toMatchObject(EVERYWHERE);
        if (headers["content-encoding"] !== undefined) continue; // its bytes are no text; the path was one of the routes
        if (status === 200) expect([...bodies, ""]).toContain(body);
        else expect(body).toMatch(errors);
      }
    }),
    { numRuns: requests, seed },
  );
  const answer = await ask(server, "GET /");
  expect(answer).toMatchObject({ status: 200, body: PAGE });
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
  console.log(`server: ${counts.join(", ")}; seed ${seed}`);
  for (const status of [200, 400, 404, 405, 421]) expect(statuses.get(status)).toBeGreaterThan(0);
});
