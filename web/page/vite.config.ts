// The page: `vite` serves it while it is worked on, `vite build` makes the static site. It uses the package as its users do:
// the engine and the element come from dist/.

import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { CONTENT_SECURITY_POLICY, ISOLATION } from "../server.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The policy in the page itself, for hosts that send no headers. What a page cannot say of itself is left out; the server
 * of the development says nothing, because its client needs more.
 */
function policy(): Plugin {
  const directives = Object.entries(CONTENT_SECURITY_POLICY)
    .filter(([name]) => name !== "frame-ancestors")
    .map(([name, value]) => `${name} ${value}`);
  return {
    name: "allcores-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: directives.join("; ") },
        injectTo: "head-prepend",
      },
    ],
  };
}

export default defineConfig({
  root: `${root}web/page`,
  base: "./",
  resolve: {
    alias: [
      { find: /^allcores$/, replacement: `${root}dist/web.js` },
      { find: /^allcores\/element$/, replacement: `${root}dist/element.js` },
    ],
  },
  server: { headers: ISOLATION.isolated, fs: { allow: [root] } },
  build: {
    outDir: `${root}build/site`,
    emptyOutDir: true,
    manifest: true, // .ci/page-size.js reads what loads what
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  plugins: [policy()],
});
