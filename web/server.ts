// A static server with the headers that the engine's modes need: `npm run preview` serves the site with it, and the tests
// their pages.
//
// It serves a fixed map of routes, read into memory when it starts. No path is ever made from a request, so none can lead
// anywhere else; nothing of a request is echoed; whatever the status, all headers are there.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/**
 * What makes a document cross-origin isolated, so that its workers can share a memory. `isolated` works in every browser, and
 * every response needs it, a worker's script above all; `document-isolation` in Chromium only, and keeps pop-ups and
 * frames of other origins working; `none` leaves the engine to its `isolated` mode.
 */
export const ISOLATION = {
  isolated: {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
  },
  "document-isolation": {
    "Document-Isolation-Policy": "isolate-and-require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
  },
  none: {},
} as const satisfies Record<string, Record<string, string>>;

/** What the site needs, and nothing else: no eval (but compiling Wasm), no inline script, no `blob:` or `data:`. */
export const CONTENT_SECURITY_POLICY = {
  "default-src": "'none'",
  "script-src": "'self' 'wasm-unsafe-eval'",
  "worker-src": "'self'",
  "connect-src": "'self'",
  "img-src": "'self'",
  "style-src": "'self'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "allcores",
} as const;

/** Beside the policy, on every response. */
export const HARDENING = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
} as const;

type Directive = keyof typeof CONTENT_SECURITY_POLICY;

/** Header names and values; null: without that header. */
export type Headers = Readonly<Record<string, string | null>>;

/** What is served under a path. */
export interface Route {
  /** Default: nothing. */
  body?: Uint8Array | string;
  /** The content's type. Default: by the path's extension. */
  type?: string;
  /** Default: 200. */
  status?: number;
  /** In place of the server's own. */
  headers?: Headers;
  /** Milliseconds until it is answered. Default: 0. */
  delayMs?: number;
}

/** Routes by their paths, as they stand in a request: from "/", encoded, without a query. */
export type Routes = Readonly<Record<string, Route>>;

export interface SiteServerOptions {
  /** A folder to serve, with all in it, as it is now. */
  root?: string | URL;
  /** Routes beside those of `root`; one of the same path changes what it names and keeps the rest. */
  routes?: Routes;
  /** Default: `isolated`. */
  headers?: keyof typeof ISOLATION;
  /** Directives in place of those of `CONTENT_SECURITY_POLICY`; null: without that directive. Or null: without any. */
  policy?: Readonly<Partial<Record<Directive, string | null>>> | null;
  /** Default: one that is free. */
  port?: number;
  /** Host names to answer to, beside those of the loopback interface. */
  hosts?: readonly string[];
}

export interface SiteServer {
  /** "http://127.0.0.1:PORT" */
  origin: string;
  port: number;
  /** Stops listening, and closes the connections that are open. */
  close(): Promise<void>;
}

type Encoding = "br" | "gzip";

/** A route, and what was made of it so far. */
interface Content {
  body: Buffer;
  status: number;
  headers: OutgoingHttpHeaders;
  delayMs: number;
  hash: string;
  /** The body, compressed when it was first asked for. */
  encoded: Map<Encoding, Promise<Buffer>>;
}

const LOOPBACK = "127.0.0.1";

/** Bytes of a request's line and headers together; above, it is refused. */
const HEADER_BYTES = 8192;
/** Milliseconds that a request may take to arrive. */
const REQUEST_MS = 10_000;
const CONNECTIONS = 256;

/** Bytes below which compressing is not worth a header. */
const COMPRESS_BYTES = 1024;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
};
const ANY_TYPE = "application/octet-stream";

const COMPRESSIBLE = /^(?:text\/|application\/(?:json|manifest\+json|wasm)|image\/svg)/;

/** Files whose names have a hash of their content, as Vite writes them: they never change. */
const HASHED = /-[\w-]{8,}\.\w+$/;

const compress = {
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: 9 }),
} as const satisfies Record<Encoding, (body: Buffer) => Promise<Buffer>>;

/**
 * The files of a folder as routes, read now: `PREFIX/a/b.js`, and for an `index.html` the folder's own path as well. Hidden
 * files and symbolic links are left out.
 */
export function folderRoutes(folder: string | URL, prefix = "/"): Record<string, Route> {
  const root = typeof folder === "string" ? folder : fileURLToPath(folder);
  const routes: Record<string, Route> = {};
  for (const names of filesIn(root, [])) {
    const path = prefix + names.map(encodeURIComponent).join("/");
    const route = { body: readFileSync(join(root, ...names)), type: typeOf(path) };
    routes[path] = route;
    if (names.at(-1) === "index.html") routes[path.slice(0, -"index.html".length)] = route;
  }
  return routes;
}

/** The files of a folder and those below, each as the names that lead to it. */
function filesIn(root: string, folder: string[]): string[][] {
  return readdirSync(join(root, ...folder), { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("."))
    .flatMap((entry) => {
      const names = [...folder, entry.name];
      return entry.isDirectory() ? filesIn(root, names) : entry.isFile() ? [names] : [];
    });
}

/**
 * Starts a server on the loopback interface.
 *
 * @throws {Error} (as a rejection) If the port is taken, or `root` cannot be read.
 */
export async function createSiteServer(options: SiteServerOptions = {}): Promise<SiteServer> {
  const { root, routes = {}, headers: isolation = "isolated", policy = {}, port = 0, hosts = [] } = options;
  const common: Headers = { ...ISOLATION[isolation], ...policyHeader(policy), ...HARDENING };

  const contents = new Map<string, Content>();
  const files = root === undefined ? {} : folderRoutes(root);
  for (const path of new Set([...Object.keys(files), ...Object.keys(routes)])) {
    contents.set(path, contentOf(path, { ...files[path], ...routes[path] }, common));
  }
  const errors = new Map<number, Content>();
  const error = (status: number): Content => {
    const content = errors.get(status) ?? contentOf(".txt", { status, body: `${STATUS_CODES[status]}\n` }, common);
    errors.set(status, content);
    return content;
  };

  /** What answers a request. */
  function answerTo(request: IncomingMessage): Content {
    const { method, url = "", headers } = request;
    if (!isHost(request, names)) return error(421);
    // Another site's pages are to read nothing here; a link from there is all right.
    if (headers["sec-fetch-site"] === "cross-site" && headers["sec-fetch-mode"] !== "navigate") return error(403);
    if (method !== "GET" && method !== "HEAD") return error(405);
    const query = url.indexOf("?");
    return contents.get(query < 0 ? url : url.slice(0, query)) ?? error(404);
  }

  // Sockets on which an answer has begun: nothing may be written between the lines of it.
  const answered = new WeakSet<Socket>();

  function handle(request: IncomingMessage, response: ServerResponse): void {
    answered.add(request.socket);
    const content = answerTo(request);
    if (content.delayMs === 0) {
      void respond(request, response, content);
      return;
    }
    const timer = setTimeout(() => void respond(request, response, content), content.delayMs);
    response.once("close", () => clearTimeout(timer));
  }

  const server = createServer(
    // What has no host is answered by this server, with all headers, and not by Node.
    { maxHeaderSize: HEADER_BYTES, requireHostHeader: false, headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS },
    handle,
  );
  server.maxConnections = CONNECTIONS;
  server.on("checkContinue", handle);
  server.on("checkExpectation", (request, response) => {
    answered.add(request.socket);
    void respond(request, response, error(417));
  });
  server.on("connect", (_, socket) => writeRaw(socket as Socket, error(405)));
  server.on("clientError", (cause: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    if (!socket.writable || answered.has(socket)) socket.destroy();
    else writeRaw(socket, error(STATUS_OF_FAULT[cause.code ?? ""] ?? 400));
  });

  server.listen(port, LOOPBACK);
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  const names = new Set([LOOPBACK, "localhost", ...hosts].map((name) => `${name}:${address.port}`));
  return {
    origin: `http://${LOOPBACK}:${address.port}`,
    port: address.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What Node's parser found, as a status. */
const STATUS_OF_FAULT: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_METHOD: 405,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** A page of another site may reach this server by a name that leads to it: only its own names are answered. */
function isHost({ rawHeaders }: IncomingMessage, names: ReadonlySet<string>): boolean {
  const given = rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === "host" && index % 2 === 1);
  return given.length === 1 && names.has(given[0]?.toLowerCase() ?? "");
}

function policyHeader(policy: SiteServerOptions["policy"]): Headers {
  if (policy === null) return {};
  const directives = Object.entries({ ...CONTENT_SECURITY_POLICY, ...policy }).filter(([, value]) => value !== null);
  return { "Content-Security-Policy": directives.map(([name, value]) => `${name} ${value}`).join("; ") };
}

function typeOf(path: string): string {
  return TYPES[extname(path)] ?? ANY_TYPE;
}

function contentOf(path: string, route: Route, common: Headers): Content {
  const { body = "", type = typeOf(path), status = 200, headers = {}, delayMs = 0 } = route;
  const bytes = Buffer.from(body);
  const all: Headers = {
    ...common,
    "Content-Type": type,
    "Cache-Control": status === 200 && HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
    Vary: "Accept-Encoding",
    ...(status === 405 ? { Allow: "GET, HEAD", Connection: "close" } : {}),
    ...headers,
  };
  return {
    body: bytes,
    status,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as OutgoingHttpHeaders,
    delayMs,
    hash: createHash("sha256").update(bytes).digest("base64url").slice(0, 22),
    encoded: new Map(),
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, content: Content): Promise<void> {
  const { status, headers, hash } = content;
  const encoding = encodingFor(request, content);
  const etag = `"${hash}${encoding === undefined ? "" : `-${encoding}`}"`;
  const tagged = status === 200 ? { ...headers, ETag: etag } : headers;
  if (status === 200 && isFresh(request, etag)) {
    response.writeHead(304, tagged).end();
    return;
  }
  const body = encoding === undefined ? content.body : await encode(content, encoding);
  response.writeHead(status, {
    ...tagged,
    ...(encoding === undefined ? {} : { "Content-Encoding": encoding }),
    "Content-Length": body.length,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function encode({ body, encoded }: Content, encoding: Encoding): Promise<Buffer> {
  let bytes = encoded.get(encoding);
  if (bytes === undefined) {
    bytes = compress[encoding](body);
    encoded.set(encoding, bytes);
  }
  return bytes;
}

function encodingFor({ headers }: IncomingMessage, { body, headers: own }: Content): Encoding | undefined {
  if (body.length < COMPRESS_BYTES || !COMPRESSIBLE.test(String(own["Content-Type"]))) return undefined;
  const accepted = String(headers["accept-encoding"] ?? "")
    .split(",")
    .filter((item) => !/;\s*q=0(?:\.0*)?\s*$/.test(item))
    .map((item) => item.split(";")[0]?.trim().toLowerCase());
  return (["br", "gzip"] as const).find((encoding) => accepted.includes(encoding));
}

function isFresh({ headers }: IncomingMessage, etag: string): boolean {
  const tags = headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags?.some((tag) => tag === etag || tag === "*") ?? false;
}

/** Answers what Node's parser could not make a request of, and hangs up. */
function writeRaw(socket: Socket, { status, headers, body }: Content): void {
  const all = { ...headers, "Content-Length": body.length, Date: new Date().toUTCString(), Connection: "close" };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}
