// What docs/bundlers.md tells users to write, as it stands there.

import { readFileSync } from "node:fs";

/** A section's blocks to copy. */
export interface Recipe {
  /** Contents by file name. */
  files: Record<string, string>;
  /** To be run in a shell, one after the other. */
  commands: string[];
  /** For the page. */
  html: string;
  /** The section's text, with everything. */
  text: string;
}

const document = readFileSync(new URL("../../docs/bundlers.md", import.meta.url), "utf8");

/** A code block, and what its paragraph says before it: a file's block follows on the file's name and a colon. */
const BLOCK = /(?:`([\w.-]+)`:\n\n)?```(\w+)\n([\s\S]*?)```\n/g;

/**
 * @throws {Error} If there is no section of this heading.
 */
export function recipe(heading: string): Recipe {
  const text = document.split(/^## /m).find((section) => section.startsWith(`${heading}\n`));
  if (text === undefined) throw new Error(`docs/bundlers.md has no section “${heading}”`);
  const found: Recipe = { files: {}, commands: [], html: "", text };
  for (const [, file, language, content = ""] of text.matchAll(BLOCK)) {
    if (file !== undefined) found.files[file] = content;
    else if (language === "sh") found.commands.push(...content.trim().split("\n"));
    else if (language === "html") found.html += content;
    else throw new Error(`docs/bundlers.md: a block of “${heading}” does not say which file it is`);
  }
  return found;
}
