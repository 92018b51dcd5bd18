// Tables for a terminal.

import Table from "cli-table3";

/** Columns without borders, right-aligned but for the first. */
export function table(head: string[], rows: string[][]): string {
  const none = Object.fromEntries(
    [
      ...["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"],
      ...["left", "left-mid", "mid", "mid-mid", "right", "right-mid"],
    ].map((part) => [part, ""]),
  );
  const lines = new Table({
    chars: { ...none, middle: "   " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    colAligns: head.map((_, column) => (column === 0 ? "left" : "right")),
  });
  lines.push(head, ...rows);
  return lines
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
