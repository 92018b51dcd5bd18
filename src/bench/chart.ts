// How a benchmark scales, as an SVG document: no script, no reference to anything outside.

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
import type { ScalingRun } from "./report.ts";
import { type SvgNode, svg, tenth } from "./svg.ts";

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
  /** Numbers of threads that are going to be measured, for axes that do not change with every row. */
  planned?: readonly number[];
  series: readonly ChartSeries[];
}

/** How the chart is drawn. */
export interface ChartStyle {
  colors: ChartColors;
  /** In pixels. With less than 720 the two panels stand one above the other. */
  width: number;
  /** Whether it has its title, the conditions and a margin: a document of its own, not a part of a page. */
  standalone: boolean;
}

export interface ChartColors {
  background: string;
  ink: string;
  muted: string;
  grid: string;
  shade: string;
  ideal: string;
  /** Of the series, again and again. */
  series: readonly string[];
}

/**
 * Series in colours that people with any colour vision tell apart, without yellow, which is too light for lines on
 * white: M. Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
 */
export const LIGHT_COLORS: ChartColors = {
  background: "#ffffff",
  ink: "#1f2328",
  muted: "#59636e",
  grid: "#e4e7eb",
  shade: "#f1f2f4",
  ideal: "#c4cad1",
  series: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"],
};

const FILE_STYLE: ChartStyle = { colors: LIGHT_COLORS, width: 960, standalone: true };

type Scale = ScaleLinear<number, number>;
type Point = readonly [x: number, y: number];
type Attributes = SvgNode["attributes"];

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

const MARGIN = 24;
const PLOT_HEIGHT = 240;
/** Left of each plot, for the labels of its axis. */
const AXIS_WIDTH = 46;
/** Above each plot, for its title; and below, for its axis. */
const PANEL_TOP = 34;
const PANEL_BOTTOM = 44;
const LINE_HEIGHT = 18;
/** Average width of a character by its font size: on the wide side, as fonts differ from system to system. */
const CHARACTER_WIDTH = 0.56;
const FONTS = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif";
const CEILING_STYLE = { "stroke-width": "1.25", "stroke-dasharray": "5 4" };
const IDEAL_WIDTH = { "stroke-width": "5" };
/** Of a line in the legend. */
const SAMPLE_WIDTH = 26;
const SHAPES = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolTriangle2, symbolStar];

/** What a chart shows of a run. */
export function chartSeries({ workload, rows }: ScalingRun): ChartSeries {
  return {
    name: `${workload.algorithm}, ${workload.schedule}`,
    rows: rows.map((row) => ({ ...row, spread: row.madMs / row.medianMs })),
  };
}

/** Speedup and efficiency by the number of threads, in two panels. */
export function scalingChart(input: ChartInput, style: ChartStyle = FILE_STYLE): SvgNode {
  return new Chart(input, style).draw();
}

class Chart {
  readonly #input: ChartInput;
  readonly #style: ChartStyle;
  readonly #colors: ChartColors;
  readonly #margin: number;

  constructor(input: ChartInput, style: ChartStyle) {
    this.#input = input;
    this.#style = style;
    this.#colors = style.colors;
    this.#margin = style.standalone ? MARGIN : 0;
  }

  draw(): SvgNode {
    const { standalone, width } = this.#style;
    const head = standalone ? this.#head() : { nodes: [], bottom: 0 };
    const panels = this.#panels(head.bottom + PANEL_TOP);
    const legend = this.#legend((panels[1].y.range()[0] as number) + PANEL_BOTTOM + LINE_HEIGHT);
    const height = legend.bottom + this.#margin;
    return svg(
      "svg",
      {
        ...{ xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" },
        ...{ "font-family": FONTS, "font-size": 12, fill: this.#colors.ink },
      },
      svg("title", {}, this.#input.title),
      svg("desc", {}, describe(this.#input)),
      ...head.nodes,
      ...panels.map((panel) => this.#panel(panel)),
      ...legend.nodes,
    );
  }

  #head(): { nodes: SvgNode[]; bottom: number } {
    const { title, subtitle } = this.#input;
    const width = this.#style.width - 2 * MARGIN;
    const lines = wrap(subtitle, width, 12);
    const nodes = [
      svg("rect", { width: "100%", height: "100%", fill: this.#colors.background }),
      text(shorten(title, width, 18), MARGIN, MARGIN + 16, { "font-size": 18, "font-weight": 600 }),
      ...lines.map((words, index) =>
        text(words, MARGIN, MARGIN + 38 + index * LINE_HEIGHT, { fill: this.#colors.muted }),
      ),
    ];
    return { nodes, bottom: MARGIN + 26 + lines.length * LINE_HEIGHT };
  }

  #panels(top: number): [Panel, Panel] {
    const { series, usableCores } = this.#input;
    const rows = series.flatMap((series) => series.rows);
    const most = Math.max(1, ...measuredThreads(this.#input));
    const fastest = Math.max(Math.min(most, usableCores), ...rows.map((row) => row.speedup * (1 + row.spread)));
    const best = Math.max(1, ...rows.map((row) => row.efficiency * (1 + row.spread)));
    const inner = this.#style.width - 2 * this.#margin;
    const stacked = inner < 720 - 2 * MARGIN;
    const width = stacked ? inner - AXIS_WIDTH : (inner - 3 * AXIS_WIDTH) / 2;
    const left = this.#margin + AXIS_WIDTH;
    const right = this.#margin + inner;
    const below = stacked ? PLOT_HEIGHT + PANEL_BOTTOM + PANEL_TOP : 0;
    const y = (top: number, max: number) => scaleLinear([0, max * 1.06], [top + PLOT_HEIGHT, top]);
    const x = (left: number) => scaleLinear([0, most + Math.max(0.5, most * 0.04)], [left, left + width]);
    return [
      {
        title: "Speedup",
        x: x(left),
        y: y(top, fastest),
        value: (row) => row.speedup,
        fromSpeedup: (speedup) => speedup,
        format: (value) => `${value}×`,
        noteAt: "bottom",
      },
      {
        title: "Efficiency",
        x: x(right - width),
        y: y(top + below, best),
        value: (row) => row.efficiency,
        fromSpeedup: (speedup, threads) => speedup / threads,
        format: (value) => `${Math.round(value * 100)} %`,
        noteAt: "top",
      },
    ];
  }

  #panel(panel: Panel): SvgNode {
    const { series } = this.#input;
    return svg(
      "g",
      {},
      ...this.#shade(panel),
      ...this.#axes(panel),
      ...this.#ideal(panel),
      ...series.flatMap((each, index) => this.#ceiling(panel, each, index)),
      ...series.flatMap((each, index) => this.#measured(panel, each, index)),
    );
  }

  /** Marks where there are more threads than cores, if that was measured. */
  #shade({ x, y, noteAt }: Panel): SvgNode[] {
    const beyond = this.#input.usableCores + 0.5;
    if (measuredThreads(this.#input).every((threads) => threads < beyond)) return [];
    const [left, right] = [x(beyond), x.range()[1] as number];
    const [bottom, top] = y.range() as [number, number];
    const d = `M${tenth(left)},${tenth(top)}H${tenth(right)}V${tenth(bottom)}H${tenth(left)}Z`;
    return [
      svg("path", { d, fill: this.#colors.shade }),
      this.#shadeNote(right - left, right - 8, bottom - 9, noteAt === "top" ? top + 32 : bottom - 9),
    ];
  }

  /** Across the region that is `width` wide, or upright where there is no room. Ends at x. */
  #shadeNote(width: number, x: number, bottom: number, y: number): SvgNode {
    const note = "more threads than cores";
    const style = { "font-size": 11, fill: this.#colors.muted };
    if (width >= widthOf(note, 11) + 16) return text(note, x, y, { ...style, "text-anchor": "end" });
    return text(note, x, bottom, { ...style, transform: `rotate(-90 ${tenth(x)} ${tenth(bottom)})` });
  }

  #axes({ title, x, y, format }: Panel): SvgNode[] {
    const { muted, grid } = this.#colors;
    const [left, right] = x.range() as [number, number];
    const [bottom, top] = y.range() as [number, number];
    const across = y
      .ticks(6)
      .flatMap((tick) => [
        path(`M${tenth(left)},${tenth(y(tick))}H${tenth(right)}`, { stroke: tick === 0 ? muted : grid }),
        text(format(tick), left - 8, y(tick) + 4, { "text-anchor": "end", fill: muted }),
      ]);
    const along = threadTicks(x, this.#input).flatMap((tick) => [
      path(`M${tenth(x(tick))},${tenth(bottom)}v5`, { stroke: muted }),
      text(`${tick}`, x(tick), bottom + 19, { "text-anchor": "middle", fill: muted }),
    ]);
    return [
      ...across,
      ...along,
      text(title, left - AXIS_WIDTH, top - 14, { "font-size": 14, "font-weight": 600 }),
      text("threads", (left + right) / 2, bottom + 38, { "text-anchor": "middle", fill: muted }),
    ];
  }

  /**
   * A whole core's worth from each thread, until there are as many as cores. Has its points where the measured lines
   * have theirs: a true curve of the efficiency would run below the straight lines between sparse points.
   */
  #ideal({ x, y, fromSpeedup }: Panel): SvgNode[] {
    const { usableCores } = this.#input;
    const measured = measuredThreads(this.#input);
    const most = Math.max(1, ...measured);
    const corners = [1, Math.min(usableCores, most), ...measured].sort((a, b) => a - b);
    const points = corners.map(
      (threads): Point => [x(threads), y(fromSpeedup(Math.min(threads, usableCores), threads))],
    );
    return curve(points, { stroke: this.#colors.ideal, ...IDEAL_WIDTH });
  }

  /** The ceiling knows threads only; no schedule gets more out of the cores than there are. */
  #ceiling({ x, y, fromSpeedup }: Panel, { rows }: ChartSeries, index: number): SvgNode[] {
    const { usableCores } = this.#input;
    const points = byThreads(rows).map(
      ({ threads, ceiling }): Point => [x(threads), y(fromSpeedup(Math.min(ceiling, usableCores), threads))],
    );
    return curve(points, { stroke: this.#color(index), ...CEILING_STYLE });
  }

  #measured({ x, y, value }: Panel, { rows }: ChartSeries, index: number): SvgNode[] {
    const stroke = this.#color(index);
    const sorted = byThreads(rows);
    const points = sorted.map((row): Point => [x(row.threads), y(value(row))]);
    const bars = sorted.map((row) => {
      const from = y(value(row) * Math.max(0, 1 - row.spread));
      const to = y(value(row) * (1 + row.spread));
      return `M${tenth(x(row.threads))},${tenth(from)}m-3,0h6m-3,0V${tenth(to)}m-3,0h6`;
    });
    return [
      ...curve(points, { stroke, "stroke-width": 2 }),
      ...(bars.length === 0 ? [] : [path(bars.join(""), { stroke })]),
      ...points.map((point) => this.#marker(point, index)),
    ];
  }

  /** Says what the lines are, below the plots, in as many rows as that takes. */
  #legend(top: number): { nodes: SvgNode[]; bottom: number } {
    const left = this.#margin;
    const right = this.#style.width - this.#margin;
    let [x, y] = [left, top];
    const nodes: SvgNode[] = [];
    for (const { label, draw } of this.#legendEntries()) {
      const width = SAMPLE_WIDTH + 8 + widthOf(label, 12);
      if (x > left && x + width > right) [x, y] = [left, y + 20];
      nodes.push(...draw(x, y), text(label, x + SAMPLE_WIDTH + 8, y + 4));
      x += width + 16;
    }
    return { nodes, bottom: y + 8 };
  }

  #legendEntries(): LegendEntry[] {
    const { series, usableCores } = this.#input;
    const { muted, ideal } = this.#colors;
    const stroke = (attributes: Attributes) => (x: number, y: number) => [
      path(`M${tenth(x)},${tenth(y)}h${SAMPLE_WIDTH}`, attributes),
    ];
    const whisker = (x: number, y: number) => [
      path(`M${tenth(x + SAMPLE_WIDTH / 2)},${tenth(y - 6)}v12m-3,0h6m-6,-12h6`, { stroke: muted, fill: "none" }),
    ];
    return [
      ...series.map(({ name }, index) => ({
        label: shorten(name, this.#style.width / 2, 12),
        draw: (x: number, y: number) => [
          ...stroke({ stroke: this.#color(index), "stroke-width": 2 })(x, y),
          this.#marker([x + SAMPLE_WIDTH / 2, y], index),
        ],
      })),
      {
        label: `ideal on ${usableCores} ${usableCores === 1 ? "core" : "cores"}`,
        draw: stroke({ stroke: ideal, ...IDEAL_WIDTH }),
      },
      { label: "ceiling of the schedule", draw: stroke({ stroke: muted, ...CEILING_STYLE }) },
      { label: "median absolute deviation", draw: whisker },
    ];
  }

  #marker([x, y]: Point, index: number): SvgNode {
    const shape = symbol()
      .type(SHAPES[index % SHAPES.length] as (typeof SHAPES)[number])
      .size(52)
      .digits(1)() as string;
    return path(shape, {
      transform: `translate(${tenth(x)} ${tenth(y)})`,
      fill: this.#color(index),
      stroke: this.#colors.background,
    });
  }

  #color(index: number): string {
    return this.#colors.series[index % this.#colors.series.length] as string;
  }
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

/** The numbers of threads that any series has, or is going to have, in ascending order. */
function measuredThreads({ series, planned = [] }: ChartInput): number[] {
  const threads = new Set([...planned, ...series.flatMap(({ rows }) => rows.map((row) => row.threads))]);
  return [...threads].sort((a, b) => a - b);
}

interface LegendEntry {
  label: string;
  /** Draws a sample of the line from x to x + SAMPLE_WIDTH. */
  draw(x: number, y: number): SvgNode[];
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

function curve(points: Point[], attributes: Attributes): SvgNode[] {
  const d = line<Point>().digits(1)(points);
  return d === null ? [] : [path(d, { fill: "none", "stroke-linejoin": "round", ...attributes })];
}

function path(d: string, attributes: Attributes): SvgNode {
  return svg("path", { d, ...attributes });
}

function text(content: string, x: number, y: number, attributes: Attributes = {}): SvgNode {
  return svg("text", { x, y, ...attributes }, content);
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
