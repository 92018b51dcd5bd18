import { describe, expect, test } from "vitest";
import { type ChartInput, type ChartSeries, LIGHT_COLORS, scalingChart } from "../src/bench/chart.ts";
import { toXml } from "../src/bench/svg.ts";

function series(name: string, threads: number[], cores: number): ChartSeries {
  const rows = threads.map((threads) => {
    const speedup = Math.min(threads, cores) * 0.9;
    return { threads, speedup, efficiency: speedup / threads, ceiling: threads * 0.99, spread: 0.02 };
  });
  return { name, rows };
}

function chart(change: Partial<ChartInput> = {}): string {
  const subtitle = "a processor, a runtime, a kernel";
  const document = scalingChart({
    title: "How it scales",
    subtitle,
    usableCores: 2,
    series: [series("dynamic", [1, 2, 4, 8], 2)],
    ...change,
  });
  return toXml(document);
}

/** The names of the elements that are open where the document ends, or where a tag closes another than the last. */
function unclosed(svg: string): string[] {
  const open: string[] = [];
  for (const [, closing, name, selfClosing] of svg.matchAll(/<(\/?)([a-z]+)(?: [a-zA-Z-]+="[^"<]*")*(\/?)>/g)) {
    if (closing === "/") {
      if (open.pop() !== name) return [...open, `/${name}`];
    } else if (selfClosing !== "/") open.push(name as string);
  }
  return open;
}

function count(svg: string, pattern: RegExp): number {
  return [...svg.matchAll(pattern)].length;
}

const variants: [string, Partial<ChartInput>][] = [
  ["one series", {}],
  ["four series", { series: ["a", "b", "c", "d"].map((name) => series(name, [1, 2, 4, 8], 2)) }],
  ["more series than colours", { series: Array.from("abcdefghij", (name) => series(name, [1, 2], 2)) }],
  ["16 threads on 16 cores", { usableCores: 16, series: [series("a", [1, 2, 4, 8, 16], 16)] }],
  ["one row", { usableCores: 1, series: [series("a", [1], 1)] }],
  ["no rows", { series: [{ name: "a", rows: [] }] }],
  ["no series", { series: [] }],
];

describe("scalingChart", () => {
  test.each(variants)("with %s the document is well-formed and every number finite", (_, change) => {
    const svg = chart(change);
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(unclosed(svg)).toEqual([]);
    // Every < starts a tag that the pattern above understood.
    expect(count(svg, /</g)).toBe(count(svg, /<\/?[a-z]+(?: [a-zA-Z-]+="[^"<]*")*\/?>/g));
    expect(svg).not.toMatch(/NaN|Infinity|undefined|null/);
  });

  test("the checker of this file sees a document that is not well-formed", () => {
    expect(unclosed("<svg><g></svg>")).toEqual(["svg", "/svg"]);
    expect(unclosed("<svg><g>")).toEqual(["svg", "g"]);
  });

  test("without the room for two panels side by side, one stands below the other, and both fit", () => {
    const document = (width: number) =>
      toXml(
        scalingChart(
          { title: "", subtitle: "", usableCores: 2, series: [series("a", [1, 2], 2)] },
          { colors: LIGHT_COLORS, width, standalone: false },
        ),
      );
    const tops = (svg: string) =>
      [...svg.matchAll(/y="([\d.]+)"[^>]*>(?:Speedup|Efficiency)</g)].map((hit) => Number(hit[1]));
    expect(new Set(tops(document(900))).size).toBe(1);
    const [speedup = 0, efficiency = 0] = tops(document(340));
    expect(efficiency - speedup).toBeGreaterThan(240);
    for (const [, x] of document(340).matchAll(/ x="([\d.]+)"/g)) expect(Number(x)).toBeLessThanOrEqual(340);
  });

  test("text is escaped wherever it comes from", () => {
    const nasty = `<b> & "c"\u0000`;
    const svg = chart({ title: nasty, subtitle: nasty, series: [series(nasty, [1, 2], 2)] });
    expect(unclosed(svg)).toEqual([]);
    expect(svg).not.toContain("<b>");
    expect(svg).not.toContain("\u0000");
    // The title twice, the subtitle, the series in the description and in the legend.
    expect(count(svg, /&lt;b&gt; &amp; &quot;c&quot;/g)).toBe(5);
  });

  test("people who cannot see it get a title and the figures", () => {
    const svg = chart();
    expect(svg).toMatch(/<svg [^>]*role="img"/);
    expect(svg).toContain("<title>How it scales</title>");
    expect(svg).toMatch(/<desc>[^<]*dynamic[^<]*1: 0\.90 \(90 %\), 2: 1\.80 \(90 %\), 4: 1\.80 \(45 %\)[^<]*<\/desc>/);
  });

  test("both panels mark the region of more threads than cores, if any were measured", () => {
    expect(count(chart(), /more threads than cores/g)).toBe(2);
    expect(chart({ series: [series("dynamic", [1, 2], 2)] })).not.toContain("more threads than cores");
  });

  test("a region too narrow for its label has it upright", () => {
    const threads = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(chart({ usableCores: 8, series: [series("dynamic", threads, 8)] })).toMatch(/rotate\(-90[^>]*>more threads/);
    expect(chart()).not.toContain("rotate");
  });

  test("every measured row has a marker in each panel, and each series one in the legend", () => {
    expect(count(chart(), /transform="translate/g)).toBe(2 * 4 + 1);
  });

  test("says which cores the ideal line is for", () => {
    expect(chart()).toContain("ideal on 2 cores");
    expect(chart({ usableCores: 1 })).toContain("ideal on 1 core<");
  });

  test("the order of the rows does not matter", () => {
    const { name, rows } = series("dynamic", [1, 2, 4, 8], 2);
    expect(chart({ series: [{ name, rows: rows.toReversed() }] })).toBe(chart());
  });

  test("it refers to nothing outside and runs nothing", () => {
    expect(chart().replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|href|url\(|<script|<style/);
  });

  test("a long subtitle goes on in a second line, and the picture grows", () => {
    const height = (svg: string) => Number(/height="(\d+)"/.exec(svg)?.[1]);
    expect(height(chart({ subtitle: "word ".repeat(40) }))).toBeGreaterThan(height(chart()));
  });

  test("all text stays inside the picture", () => {
    const name = "a name so long that half of the picture is not wide enough for it ".repeat(3);
    const svg = chart({ title: name, series: ["1", "2", "3"].map((n) => series(n + name, [1, 2, 4, 8], 2)) });
    for (const [, x, , words] of svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"(?![^>]*text-anchor)[^>]*>([^<]*)</g)) {
      expect(Number(x) + (words as string).length * 6).toBeLessThan(960);
    }
  });
});
