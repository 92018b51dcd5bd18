// Under Trusted Types, what names a script must come from a policy. This page's knows one script.

interface Policy {
  createScriptURL(url: string): unknown;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

let policy: Policy | undefined;

/** The URL of this page's own worker, as `new Worker` takes it. */
export function trustedWorkerUrl(url: URL): URL {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  policy ??= trustedTypes.createPolicy("allcores-page", {
    createScriptURL(text) {
      if (new URL(text).origin !== location.origin) throw new TypeError(`${text} is no script of this page`);
      return text;
    },
  });
  return policy.createScriptURL(url.href) as URL;
}
