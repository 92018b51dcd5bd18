// What the page hands to its visitor: files and the clipboard.

/** Saves a file. The link to a blob is followed, not run, so the content security policy needs no `blob:`. */
export function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it in its own time.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Copies a text, and says what came of it. */
export async function copy(text: string, what: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return `${what} copied.`;
  } catch {
    return `The browser did not let this page write to the clipboard. ${what}: ${text}`;
  }
}
