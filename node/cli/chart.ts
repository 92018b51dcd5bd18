// How a benchmark scales, as a standalone SVG document: no script, no reference to anything outside.

import { type ScaleLinear, scaleLinear } from "d3-scale";
import {
  line,
  symbol,
  symbolCircle,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolTriangle2,
} from "d3-shape";

/** What was measured with one number of threads. */
export interface ChartRow {
  threads: number;
  speedup: number;
  /** speedup / threads. */
  efficiency: number;
  /** The most speedup that the schedule allows. */
  ceiling: number;
  /** Median absolute deviation of the times as a fraction of their median. */
  spread: number;
}

export interface ChartSeries {
  name: string;
  rows: readonly ChartRow[];
}

export interface ChartInput {
  title: string;
  /** The conditions: processor, runtime, kernel, workload. */
  subtitle: string;
  usableCores: number;
  series: readonly ChartSeries[];
}

type Scale = ScaleLinear<number, number>;
type Point = readonly [x: number, y: number];

/** One of the two plots: what it shows, and where. */
interface Panel {
  title: string;
  x: Scale;
  y: Scale;
  /** The measured value. */
  value(row: ChartRow): number;
  /** What a speedup on so many threads is in this panel's unit. */
  fromSpeedup(speedup: number, threads: number): number;
  format(value: number): string;
  /** Where the shaded region is labelled: where no line comes. */
  noteAt: "top" | "bottom";
}

const WIDTH = 960;
const MARGIN = 24;
const PLOT_HEIGHT = 240;
const PLOT_WIDTH = 396;
/** Left of each plot, for the labels of its axis. */
const AXIS_WIDTH = 40;
const LINE_HEIGHT = 18;
/** Average width of a character by its font size: on the wide side, as fonts differ from system to system. */
const CHARACTER_WIDTH = 0.56;
const FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif";
const INK = "#1f2328";
const MUTED = "#59636e";
const GRID = "#e4e7eb";
const SHADE = "#f1f2f4";
const IDEAL_STYLE = `stroke="#c4cad1" stroke-width="5"`;
const CEILING_STYLE = `stroke-width="1.25" stroke-dasharray="5 4"`;
/** Of a line in the legend. */
const SAMPLE_WIDTH = 26;

/**
 * Colours that people with any colour vision tell apart, without yellow, which is too light for lines on white: M.
 * Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
 */
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const SHAPES = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolTriangle2, symbolStar];

/** Speedup and efficiency by the number of threads, in two panels side by side. */
export function scalingChart(input: ChartInput): string {
  const subtitle = wrap(input.subtitle, WIDTH - 2 * MARGIN, 12);
  const top = MARGIN + 26 + subtitle.length * LINE_HEIGHT + 34;
  const legend = legendOf(input, top + PLOT_HEIGHT + 62);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${legend.bottom}"`,
    ` viewBox="0 0 ${WIDTH} ${legend.bottom}" role="img" font-family="${FONTS}" font-size="12" fill="${INK}">\n`,
    `<title>${escapeXml(input.title)}</title>\n<desc>${escapeXml(describe(input))}</desc>\n`,
    `<rect width="100%" height="100%" fill="#ffffff"/>\n`,
    text(shorten(input.title, WIDTH - 2 * MARGIN, 18), MARGIN, MARGIN + 16, `font-size="18" font-weight="600"`),
    ...subtitle.map((words, index) => text(words, MARGIN, MARGIN + 38 + index * LINE_HEIGHT, `fill="${MUTED}"`)),
    ...panels(input, top).map((panel) => drawPanel(panel, input)),
    legend.svg,
    "</svg>\n",
  ].join("");
}

function panels(input: ChartInput, top: number): Panel[] {
  const rows = input.series.flatMap((series) => series.rows);
  const most = Math.max(1, ...rows.map((row) => row.threads));
  const fastest = Math.max(Math.min(most, input.usableCores), ...rows.map((row) => row.speedup * (1 + row.spread)));
  const best = Math.max(1, ...rows.map((row) => row.efficiency * (1 + row.spread)));
  const y = (max: number) => scaleLinear([0, max * 1.06], [top + PLOT_HEIGHT, top]);
  const x = (left: number) => scaleLinear([0, most + Math.max(0.5, most * 0.04)], [left, left + PLOT_WIDTH]);
  const left = MARGIN + AXIS_WIDTH;
  return [
    {
      title: "Speedup",
      x: x(left),
      y: y(fastest),
      value: (row) => row.speedup,
      fromSpeedup: (speedup) => speedup,
      format: (value) => `${value}×`,
      noteAt: "bottom",
    },
    {
      title: "Efficiency",
      x: x(WIDTH - MARGIN - PLOT_WIDTH),
      y: y(best),
      value: (row) => row.efficiency,
      fromSpeedup: (speedup, threads) => speedup / threads,
      format: (value) => `${Math.round(value * 100)} %`,
      noteAt: "top",
    },
  ];
}

function drawPanel(panel: Panel, input: ChartInput): string {
  const cores = input.usableCores;
  return [
    "<g>\n",
    shade(panel, input),
    axes(panel, input),
    idealLine(panel, input),
    ...input.series.map((series, index) => ceilingLine(panel, series, index, cores)),
    ...input.series.map((series, index) => measured(panel, series, index)),
    "</g>\n",
  ].join("");
}

/** Marks where there are more threads than cores, if that was measured. */
function shade({ x, y, noteAt }: Panel, input: ChartInput): string {
  const beyond = input.usableCores + 0.5;
  if (measuredThreads(input).every((threads) => threads < beyond)) return "";
  const [left, right] = [x(beyond), x.range()[1] as number];
  const [bottom, top] = y.range() as [number, number];
  return (
    `<path d="M${round(left)},${round(top)}H${round(right)}V${round(bottom)}H${round(left)}Z" fill="${SHADE}"/>\n` +
    shadeNote(right - left, right - 8, bottom - 9, noteAt === "top" ? top + 32 : bottom - 9)
  );
}

/** Across the region that is `width` wide, or upright where there is no room. Ends at x. */
function shadeNote(width: number, x: number, bottom: number, y: number): string {
  const note = "more threads than cores";
  const style = `font-size="11" fill="${MUTED}"`;
  if (width >= widthOf(note, 11) + 16) return text(note, x, y, `${style} text-anchor="end"`);
  return text(note, x, bottom, `${style} transform="rotate(-90 ${round(x)} ${round(bottom)})"`);
}

function axes({ title, x, y, format }: Panel, input: ChartInput): string {
  const [left, right] = x.range() as [number, number];
  const [bottom, top] = y.range() as [number, number];
  const across = y.ticks(6).map((tick) => {
    const stroke = tick === 0 ? MUTED : GRID;
    return (
      `<path d="M${round(left)},${round(y(tick))}H${round(right)}" stroke="${stroke}"/>\n` +
      text(format(tick), left - 8, y(tick) + 4, `text-anchor="end" fill="${MUTED}"`)
    );
  });
  const along = threadTicks(x, input).map(
    (tick) =>
      `<path d="M${round(x(tick))},${round(bottom)}v5" stroke="${MUTED}"/>\n` +
      text(`${tick}`, x(tick), bottom + 19, `text-anchor="middle" fill="${MUTED}"`),
  );
  return [
    ...across,
    ...along,
    text(title, left - AXIS_WIDTH, top - 14, `font-size="14" font-weight="600"`),
    text("threads", (left + right) / 2, bottom + 38, `text-anchor="middle" fill="${MUTED}"`),
  ].join("");
}

/** The measured numbers of threads, less those whose labels would touch. The greatest is always there. */
function threadTicks(x: Scale, input: ChartInput): number[] {
  const ticks: number[] = [];
  for (const threads of measuredThreads(input).reverse()) {
    const last = ticks.at(-1);
    if (last === undefined || x(last) - x(threads) >= widthOf(`${last}`, 12) + 6) ticks.push(threads);
  }
  return ticks;
}

/** The numbers of threads that any series has, in ascending order. */
function measuredThreads({ series }: ChartInput): number[] {
  const threads = new Set(series.flatMap(({ rows }) => rows.map((row) => row.threads)));
  return [...threads].sort((a, b) => a - b);
}

/**
 * A whole core's worth from each thread, until there are as many as cores. Has its points where the measured lines have
 * theirs: a true curve of the efficiency would run below the straight lines between sparse points.
 */
function idealLine({ x, y, fromSpeedup }: Panel, input: ChartInput): string {
  const measured = measuredThreads(input);
  const most = Math.max(1, ...measured);
  const corners = [1, Math.min(input.usableCores, most), ...measured].sort((a, b) => a - b);
  const points = corners.map(
    (threads): Point => [x(threads), y(fromSpeedup(Math.min(threads, input.usableCores), threads))],
  );
  return curve(points, IDEAL_STYLE);
}

/** The ceiling knows threads only; no schedule gets more out of the cores than there are. */
function ceilingLine({ x, y, fromSpeedup }: Panel, { rows }: ChartSeries, index: number, cores: number): string {
  const points = byThreads(rows).map(
    ({ threads, ceiling }): Point => [x(threads), y(fromSpeedup(Math.min(ceiling, cores), threads))],
  );
  return curve(points, `stroke="${colorOf(index)}" ${CEILING_STYLE}`);
}

function measured({ x, y, value }: Panel, { rows }: ChartSeries, index: number): string {
  const color = colorOf(index);
  const sorted = byThreads(rows);
  const points = sorted.map((row): Point => [x(row.threads), y(value(row))]);
  const bars = sorted.map((row) => {
    const from = y(value(row) * Math.max(0, 1 - row.spread));
    const to = y(value(row) * (1 + row.spread));
    return `M${round(x(row.threads))},${round(from)}m-3,0h6m-3,0V${round(to)}m-3,0h6`;
  });
  return [
    curve(points, `stroke="${color}" stroke-width="2"`),
    bars.length === 0 ? "" : `<path d="${bars.join("")}" stroke="${color}"/>\n`,
    ...points.map((point) => marker(point, index)),
  ].join("");
}

interface LegendEntry {
  label: string;
  /** Draws a sample of the line from x to x + SAMPLE_WIDTH. */
  draw(x: number, y: number): string;
}

/** Says what the lines are, below the plots, in as many rows as that takes. */
function legendOf(input: ChartInput, top: number): { svg: string; bottom: number } {
  let [x, y] = [MARGIN, top];
  let svg = "";
  for (const { label, draw } of legendEntries(input)) {
    const width = SAMPLE_WIDTH + 8 + widthOf(label, 12);
    if (x > MARGIN && x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + 20];
    svg += draw(x, y) + text(label, x + SAMPLE_WIDTH + 8, y + 4);
    x += width + 16;
  }
  return { svg, bottom: y + MARGIN };
}

function legendEntries({ series, usableCores }: ChartInput): LegendEntry[] {
  const stroke = (attributes: string) => (x: number, y: number) =>
    `<path d="M${round(x)},${round(y)}h${SAMPLE_WIDTH}" ${attributes}/>\n`;
  const whisker = (x: number, y: number) =>
    `<path d="M${round(x + SAMPLE_WIDTH / 2)},${round(y - 6)}v12m-3,0h6m-6,-12h6" stroke="${MUTED}" fill="none"/>\n`;
  return [
    ...series.map(({ name }, index) => ({
      label: shorten(name, WIDTH / 2, 12),
      draw: (x: number, y: number) =>
        stroke(`stroke="${colorOf(index)}" stroke-width="2"`)(x, y) + marker([x + SAMPLE_WIDTH / 2, y], index),
    })),
    { label: `ideal on ${usableCores} ${usableCores === 1 ? "core" : "cores"}`, draw: stroke(IDEAL_STYLE) },
    { label: "ceiling of the schedule", draw: stroke(`stroke="${MUTED}" ${CEILING_STYLE}`) },
    { label: "median absolute deviation", draw: whisker },
  ];
}

/** The figures, for those who cannot see them. */
function describe({ series, usableCores }: ChartInput): string {
  const told = series.map(({ name, rows }) => {
    const values = byThreads(rows).map(
      (row) => `${row.threads}: ${row.speedup.toFixed(2)} (${Math.round(row.efficiency * 100)} %)`,
    );
    return `${name}, threads: speedup (efficiency): ${values.join(", ")}.`;
  });
  return [`Speedup and efficiency by threads on ${usableCores} usable cores.`, ...told].join(" ");
}

function curve(points: Point[], attributes: string): string {
  const path = line<Point>().digits(1)(points);
  return path === null ? "" : `<path d="${path}" fill="none" stroke-linejoin="round" ${attributes}/>\n`;
}

function marker([x, y]: Point, index: number): string {
  const shape = symbol()
    .type(SHAPES[index % SHAPES.length] as (typeof SHAPES)[number])
    .size(52)
    .digits(1)();
  const place = `transform="translate(${round(x)} ${round(y)})"`;
  return `<path d="${shape}" ${place} fill="${colorOf(index)}" stroke="#ffffff"/>\n`;
}

function text(content: string, x: number, y: number, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${escapeXml(content)}</text>\n`;
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length] as string;
}

function byThreads(rows: readonly ChartRow[]): ChartRow[] {
  return [...rows].sort((a, b) => a.threads - b.threads);
}

function widthOf(content: string, fontSize: number): number {
  return content.length * fontSize * CHARACTER_WIDTH;
}

/** Lines of words, each at most `width` wide. */
function wrap(content: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  for (const word of content.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && widthOf(longer, fontSize) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function shorten(content: string, width: number, fontSize: number): string {
  const most = Math.floor(width / (fontSize * CHARACTER_WIDTH));
  return content.length <= most ? content : `${content.slice(0, most - 1)}…`;
}

/** For text and attributes. Control characters, which XML forbids, become spaces. */
function escapeXml(content: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return content.replace(/\p{Cc}/gu, " ").replace(/[&<>"]/g, (character) => entities[character] as string);
}

/** To a tenth of a pixel, so that the same figures give the same file. */
function round(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}
