// Under Trusted Types, what names a script must come from a policy. This page's lets its own scripts pass.

interface Policy {
  createScriptURL(url: string): unknown;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

let policy: Policy | undefined;

/** Starts a worker from a script of this page. */
export function startWorker(url: string): Worker {
  return new Worker(trusted(url), { type: "module" });
}

function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  policy ??= trustedTypes.createPolicy("allcores-page", {
    createScriptURL(text) {
      if (new URL(text).origin !== location.origin) throw new TypeError(`${text} is no script of this page`);
      return text;
    },
  });
  return policy.createScriptURL(url) as string;
}
