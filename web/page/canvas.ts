// An SVG document on a canvas: a content security policy that forbids images from blobs forbids the usual way, too. Knows
// what the chart has: paths, texts, rectangles, groups, and of transforms one translation or rotation.

import type { SvgNode } from "../../src/bench/svg.ts";

/** Draws a document, `scale` pixels to each of its own. */
export function drawSvg(document_: SvgNode, scale: number): HTMLCanvasElement {
  const { width, height } = document_.attributes as { width: number; height: number };
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser gives no 2d context for a canvas");
  context.scale(scale, scale);
  draw(context, document_, {}, { width, height });
  return canvas;
}

type Attributes = Record<string, string | number>;

/** Attributes that what is inside takes over. */
const INHERITED = ["fill", "stroke", "font-family", "font-size", "font-weight", "text-anchor"];

function draw(
  context: CanvasRenderingContext2D,
  { name, attributes, children }: SvgNode,
  inherited: Attributes,
  size: { width: number; height: number },
): void {
  const style: Attributes = { ...inherited, ...attributes };
  context.save();
  transform(context, attributes.transform);
  context.fillStyle = String(style.fill ?? "#000");
  context.strokeStyle = String(style.stroke ?? "none");
  context.lineWidth = Number(style["stroke-width"] ?? 1);
  context.lineJoin = style["stroke-linejoin"] === "round" ? "round" : "miter";
  context.setLineDash(
    String(style["stroke-dasharray"] ?? "")
      .split(/[ ,]+/)
      .filter(Boolean)
      .map(Number),
  );
  if (name === "rect") context.fillRect(0, 0, size.width, size.height);
  if (name === "path") {
    const path = new Path2D(String(attributes.d));
    if (style.fill !== "none") context.fill(path);
    if (style.stroke !== undefined && style.stroke !== "none") context.stroke(path);
  }
  if (name === "text") {
    context.font = `${style["font-weight"] ?? 400} ${style["font-size"]}px ${style["font-family"]}`;
    context.textAlign = ({ middle: "center", end: "end" } as const)[String(style["text-anchor"])] ?? "start";
    context.fillText(children.join(""), Number(attributes.x), Number(attributes.y));
  }
  if (name === "svg" || name === "g") {
    const handedOn = Object.fromEntries(Object.entries(style).filter(([key]) => INHERITED.includes(key)));
    for (const child of children) if (typeof child !== "string") draw(context, child, handedOn, size);
  }
  context.restore();
}

function transform(context: CanvasRenderingContext2D, text: string | number | undefined): void {
  const [, name, list = ""] = /^(translate|rotate)\(([^)]*)\)$/.exec(String(text ?? "")) ?? [];
  const [a = 0, b = 0, c = 0] = list.split(/[ ,]+/).map(Number);
  if (name === "translate") context.translate(a, b);
  if (name !== "rotate") return;
  context.translate(b, c);
  context.rotate((a * Math.PI) / 180);
  context.translate(-b, -c);
}
