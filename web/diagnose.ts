// Finds out why something does not work in a page. Browsers tell a page little: that a worker's script is missing, forbidden,
// of the wrong type or without a header are one and the same event, without a message. So what is behind it is asked for.

import { type EngineError, errorOf, messageOf } from "../src/errors.ts";
import type { Problem } from "../src/types.ts";

/** Milliseconds that an answer is waited for. What was asked about has failed before, so there may be none. */
const PATIENCE = 1_000;

/** Hears what the page's Content Security Policy forbids, until it is stopped. */
export function watchPolicy(): { forbids(directive: string): Promise<boolean>; stop(): void } {
  const seen: string[] = [];
  const hear = (event: Event) => seen.push((event as SecurityPolicyViolationEvent).effectiveDirective);
  // Wherever it happens, it bubbles up to here.
  globalThis.addEventListener("securitypolicyviolation", hear);
  return {
    async forbids(directive) {
      // It is told in a turn of its own, which may come after that of what has failed.
      for (let wait = 0; wait < 3 && seen.length === 0; wait++) await new Promise((resolve) => setTimeout(resolve, 5));
      return seen.some((effective) => effective.startsWith(directive));
    },
    stop: () => globalThis.removeEventListener("securitypolicyviolation", hear),
  };
}

/** What an address answers, or undefined if it does not. */
async function ask(url: string, method: "GET" | "HEAD"): Promise<Response | undefined> {
  try {
    const response = await fetch(url, { method, cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    void response.body?.cancel(); // its headers are enough
    return response;
  } catch {
    return undefined;
  }
}

/** The headers of the page's own response, or undefined if there is no asking. */
async function pageHeaders(): Promise<Headers | undefined> {
  if (!/^https?:$/.test(location.protocol)) return undefined;
  const head = await ask(location.href, "HEAD");
  const response = head?.ok ? head : await ask(location.href, "GET"); // not every server knows HEAD
  return response?.ok ? response.headers : undefined;
}

const COOP = "Cross-Origin-Opener-Policy";
const COEP = "Cross-Origin-Embedder-Policy";

/** A policy without its parameters. */
function policyOf(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.split(";")[0]?.trim();
}

const embeds = (policy: string | undefined) => policy === "require-corp" || policy === "credentialless";

const UNSHARED = "The page is not cross-origin isolated, so workers cannot share a memory";
const REMEDY = `Serve the page with ${COOP}: same-origin and ${COEP}: require-corp.`;

/** Why workers cannot share a memory here, as far as can be told at once. */
export function unsharedReason(): Problem | undefined {
  if (globalThis.crossOriginIsolated) return undefined;
  if (globalThis.isSecureContext === false) {
    return {
      code: "insecure-context",
      message:
        `The page came by ${location.protocol}//${location.hostname}, which is not secure, so browsers let no workers ` +
        "share a memory: serve it by HTTPS, or from localhost.",
    };
  }
  return { code: "not-isolated", message: `${UNSHARED}. ${REMEDY}` };
}

/** The same, with the header that is missing. */
export async function whyUnshared(): Promise<Problem | undefined> {
  const reason = unsharedReason();
  if (reason?.code !== "not-isolated") return reason;
  const headers = await pageHeaders();
  if (headers === undefined) return reason;
  const wrong = [
    complaint(headers, COOP, (policy) => policy === "same-origin", "same-origin"),
    complaint(headers, COEP, embeds, "require-corp"),
  ].filter((text) => text !== undefined);
  return { code: "not-isolated", message: `${UNSHARED}: ${wrong.length > 0 ? wrong.join("; ") : whyStill(headers)}.` };
}

function complaint(
  headers: Headers,
  name: string,
  isRight: (policy: string | undefined) => boolean,
  right: string,
): string | undefined {
  const policy = policyOf(headers, name);
  if (isRight(policy)) return undefined;
  const what = policy === undefined ? `its response has no header ${name}` : `its header ${name} is "${policy}"`;
  return `${what} (send ${name}: ${right})`;
}

/** With both headers right. */
function whyStill(headers: Headers): string {
  if (globalThis.self !== globalThis.top && typeof document === "object") {
    return (
      "it is in a frame, so the page around it has to be isolated as well, and the frame needs " +
      'allow="cross-origin-isolated"'
    );
  }
  if (policyOf(headers, COEP) === "credentialless") {
    return `this browser does not isolate with ${COEP}: credentialless (send require-corp)`;
  }
  return (
    "its headers are right now, so it may have been loaded before they were (reload it), or a Permissions-Policy " +
    "forbids cross-origin-isolated"
  );
}

/** Why a worker could not start, after an event that says nothing, or an error of the constructor. */
export async function whyNoWorker(
  url: string,
  cause: unknown,
  forbids: (directive: string) => Promise<boolean>,
): Promise<EngineError> {
  const { protocol, origin } = new URL(url);
  const problem = (code: Problem["code"], message: string) => errorOf({ code, message }, cause);
  if (await forbids("worker-src")) {
    const source =
      origin === location.origin && protocol !== "blob:" ? "'self'" : protocol === "blob:" ? "blob:" : origin;
    return problem(
      "csp-worker",
      `The page's Content-Security-Policy forbids the worker ${url}: add ${source} to its worker-src.`,
    );
  }
  if (protocol === "blob:" || protocol === "data:") {
    return problem("worker-start", `the worker's script at ${url.slice(0, 60)} could not be started`);
  }
  if (origin !== location.origin) {
    return problem(
      "worker-origin",
      `The worker's script is at ${url}, and a page may start workers of its own origin only, ${location.origin}: copy ` +
        "allcores/worker there and give its address as workerUrl, or import allcores/inline.",
    );
  }
  const response = await ask(url, "GET");
  if (response === undefined) {
    return (await forbids("connect-src"))
      ? problem(
          "worker-start",
          `The worker's script at ${url} could not be started, and connect-src forbids to see why.`,
        )
      : problem("worker-missing", `The worker's script could not be loaded from ${url}: that address does not answer.`);
  }
  if (!response.ok) {
    return problem(
      "worker-missing",
      `The worker's script is not at ${url}, which answers with status ${response.status}: copy allcores/worker to beside ` +
        "the engine's script, or tell createEngine its place with workerUrl.",
    );
  }
  const type = response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
  if (!/(java|ecma)script$/i.test(type)) {
    return problem(
      "worker-type",
      `The worker's script is not at ${url}, which answers with ${type === "" ? "no type" : type} instead of ` +
        "text/javascript: servers send such where a file is missing. Copy allcores/worker there, or serve it with its type.",
    );
  }
  if (!embeds(policyOf(response.headers, COEP)) && (await isEmbedding())) {
    return problem(
      "worker-coep",
      `The worker's script at ${url} comes without the header ${COEP}, which its page has: send ${COEP}: require-corp with ` +
        "scripts, too.",
    );
  }
  return problem(
    "worker-start",
    `The worker's script could not be started, though ${url} answers with a script` +
      (cause instanceof Error ? `: ${messageOf(cause)}` : ": the browser's console may say more."),
  );
}

/** Whether the page has an embedder policy, which its workers then need as well. */
async function isEmbedding(): Promise<boolean> {
  const headers = await pageHeaders();
  return headers === undefined ? globalThis.crossOriginIsolated : embeds(policyOf(headers, COEP));
}
