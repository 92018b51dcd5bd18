// Who worked when: a lane for each worker, a bar for each chunk. What is empty is time that a worker had nothing to do.

import { ms, percent } from "../../src/bench/format.ts";
import { type SvgNode, svg, tenth } from "../../src/bench/svg.ts";
import type { ChunkReport } from "../../src/types.ts";

/** One picture that was rendered. */
export interface TimelineEntry {
  name: string;
  /** Undefined: not measured yet; its lanes are empty. */
  picture: { elapsedMs: number; chunks: readonly ChunkReport[] } | undefined;
}

export interface TimelineStyle {
  width: number;
  ink: string;
  muted: string;
  lane: string;
  color(thread: number): string;
}

const LANE = 18;
const GAP = 4;
const HEAD = 26;
const BETWEEN = 18;
const AXIS = 30;
const LABEL = 62;

/** All pictures on one scale of time, so that they compare. */
export function timeline(entries: readonly TimelineEntry[], threads: number, style: TimelineStyle): SvgNode {
  const { width, ink, muted } = style;
  const longest = Math.max(...entries.map(({ picture }) => picture?.elapsedMs ?? 0));
  const scale = (width - LABEL - 1) / (longest || 1);
  const block = HEAD + threads * (LANE + GAP) - GAP;
  const bottom = entries.length * block + (entries.length - 1) * BETWEEN;
  const height = bottom + AXIS;
  return svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "font-size": 12, fill: ink },
    svg("title", {}, `Timeline of ${threads} ${threads === 1 ? "worker" : "workers"}`),
    svg("desc", {}, entries.map((entry) => describe(entry, threads)).join(" ")),
    ...entries.flatMap((entry, index) => drawEntry(entry, threads, index * (block + BETWEEN), scale, style)),
    ...(longest === 0 ? [] : axis(longest, bottom, scale, muted)),
  );
}

function drawEntry(
  { name, picture }: TimelineEntry,
  threads: number,
  top: number,
  scale: number,
  style: TimelineStyle,
): SvgNode[] {
  const facts = picture === undefined ? "" : `${ms(picture.elapsedMs)}, ${percent(idleShare(picture, threads))} idle`;
  const head = [
    svg("text", { x: 0, y: top + 13, "font-weight": 600 }, name),
    svg("text", { x: style.width, y: top + 13, "text-anchor": "end", fill: style.muted }, facts),
  ];
  const lanes = Array.from({ length: threads }, (_, thread) => {
    const y = top + HEAD + thread * (LANE + GAP);
    const bars = (picture?.chunks ?? []).filter((chunk) => chunk.thread === thread);
    // Two shades in turn, so that neighbours are told apart.
    const shades = [bars.filter((_, index) => index % 2 === 0), bars.filter((_, index) => index % 2 === 1)];
    return [
      svg("text", { x: 0, y: y + 13, fill: style.muted }, `worker ${thread}`),
      svg("path", { d: `M${LABEL},${tenth(y)}H${tenth(style.width)}v${LANE}H${LABEL}Z`, fill: style.lane }),
      ...shades.map((some, shade) =>
        svg("path", {
          d: some.map(({ beginMs, endMs }) => bar(LABEL + beginMs * scale, LABEL + endMs * scale, y)).join(""),
          fill: style.color(thread),
          ...(shade === 1 && { "fill-opacity": "0.72" }),
        }),
      ),
    ];
  });
  return [...head, ...lanes.flat()];
}

/** To a hundredth of a pixel: chunks may be narrower than a tenth. */
function bar(left: number, right: number, y: number): string {
  const hundredth = (value: number) => Math.round(value * 100) / 100;
  return `M${hundredth(left)},${tenth(y)}H${hundredth(right)}v${LANE}H${hundredth(left)}Z`;
}

function axis(longest: number, bottom: number, scale: number, muted: string): SvgNode[] {
  const step = niceStep(longest / 6);
  const ticks = Array.from({ length: Math.floor(longest / step + 1e-9) + 1 }, (_, index) => index * step);
  return ticks.flatMap((tick) => {
    const x = LABEL + tick * scale;
    return [
      svg("path", { d: `M${tenth(x)},${bottom + 4}v4`, stroke: muted }),
      svg(
        "text",
        { x, y: bottom + 22, "text-anchor": tick === 0 ? "start" : "middle", fill: muted },
        tick === 0 ? "0 ms" : `${Number(tick.toPrecision(6))}`,
      ),
    ];
  });
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

/** The share of the workers' time in which they computed nothing. */
export function idleShare(
  { elapsedMs, chunks }: { elapsedMs: number; chunks: readonly ChunkReport[] },
  threads: number,
): number {
  const busy = chunks.reduce((sum, { beginMs, endMs }) => sum + endMs - beginMs, 0);
  return Math.max(0, 1 - busy / (threads * elapsedMs));
}

function describe({ name, picture }: TimelineEntry, threads: number): string {
  if (picture === undefined) return `${name}: not measured.`;
  const busy = Array.from({ length: threads }, (_, thread) =>
    picture.chunks
      .filter((chunk) => chunk.thread === thread)
      .reduce((sum, { beginMs, endMs }) => sum + endMs - beginMs, 0),
  );
  return `${name}: ${ms(picture.elapsedMs)}; the workers computed for ${busy.map(ms).join(", ")}.`;
}
