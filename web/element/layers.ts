// What has been painted, layer on layer, each where it lies in the plane. So the picture of a moment ago can be moved and
// scaled at once, and what is finer or newer lies on what is coarser.

import type { MandelbrotResult, Region } from "../../src/types.ts";
import { type Grid, type Place, placeOf, type Size } from "./region.ts";
import type { Sheet } from "./renderer.ts";

/** A chunk's pixels, and who computed them. */
export interface Tint extends Place {
  color: string;
}

/** A layer of what was asked for before, with other counts or colours, counts as so much coarser than it is. */
const STALE = 4;

/** Most layers: what has been seen on a long way is not needed. */
const MAX_LAYERS = 6;

/** Most of a pixel that a view may be wider than a layer that covers it: no more than rounding. */
const COVER_SLACK = 0.5;

export class Layer implements Sheet {
  readonly grid: Grid;
  readonly canvas: HTMLCanvasElement;
  isWhole = false;
  isStale = false;
  tints: readonly Tint[] = [];
  readonly #context: CanvasRenderingContext2D;

  constructor(grid: Grid) {
    this.grid = grid;
    this.canvas = document.createElement("canvas");
    this.canvas.width = grid.width;
    this.canvas.height = grid.height;
    this.#context = contextOf(this.canvas);
  }

  /** Distance of its pixels in the plane, more if it is not what is asked for. */
  get pitch(): number {
    const { region, width } = this.grid;
    return ((region.reMax - region.reMin) / width) * (this.isStale ? STALE : 1);
  }

  paint(first: number, rows: number, fill: (words: Uint32Array) => void): void {
    const image = this.#context.createImageData(this.grid.width, rows);
    fill(new Uint32Array(image.data.buffer));
    this.#context.putImageData(image, 0, first);
  }

  /** Whether it is all there, and nothing of the view is outside. */
  covers(view: Region, size: Size): boolean {
    const { x, y, width, height } = placeOf(this.grid, view, size);
    return (
      this.isWhole &&
      x <= COVER_SLACK &&
      y <= COVER_SLACK &&
      x + width >= size.width - COVER_SLACK &&
      y + height >= size.height - COVER_SLACK
    );
  }

  /** Gives its memory back now: some browsers are slow to collect it. */
  discard(): void {
    this.canvas.width = 0;
    this.canvas.height = 0;
  }
}

export class Layers {
  /** In the order in which they came. */
  #layers: Layer[] = [];

  /** Adds a layer, unless it is there already; when it is whole, what it hides is dropped. */
  add(layer: Layer): void {
    if (!this.#layers.includes(layer)) this.#layers.push(layer);
    if (!layer.isWhole) return;
    const { region, width, height } = layer.grid;
    this.#keep((other) => {
      if (other === layer || other.pitch < layer.pitch) return true;
      const place = placeOf(other.grid, region, { width, height });
      const isInside =
        place.x >= -1 && place.y >= -1 && place.x + place.width <= width + 1 && place.y + place.height <= height + 1;
      return !isInside;
    });
  }

  /** Drops all but one. */
  addOnly(layer: Layer): void {
    this.#keep(() => false);
    this.#layers = [layer];
  }

  #keep(test: (layer: Layer) => boolean): void {
    const kept = this.#layers.filter(test);
    const tooMany = kept.length > MAX_LAYERS ? kept.slice(0, kept.length - MAX_LAYERS) : [];
    for (const layer of this.#layers) if (!kept.includes(layer) || tooMany.includes(layer)) layer.discard();
    this.#layers = kept.slice(tooMany.length);
  }

  /** All that is there is of a question asked before: it stays until something comes that is nearly as fine. */
  markStale(): void {
    for (const layer of this.#layers) layer.isStale = true;
  }

  /** Whether all of the view is seen, with pixels no coarser than `pitch`. */
  show(view: Region, size: Size, pitch: number): boolean {
    return this.#layers.some((layer) => layer.pitch <= pitch * (1 + 1e-6) && layer.covers(view, size));
  }

  /** Draws the view, and the tints if they are wanted. */
  draw(context: CanvasRenderingContext2D, view: Region, size: Size, withTints: boolean): void {
    context.clearRect(0, 0, size.width, size.height);
    // The finest last; sorting is stable, so of equals the newest.
    for (const layer of [...this.#layers].sort((a, b) => b.pitch - a.pitch)) {
      const place = placeOf(layer.grid, view, size);
      const isPixelForPixel =
        place.width === layer.grid.width &&
        place.height === layer.grid.height &&
        Number.isInteger(place.x) &&
        Number.isInteger(place.y);
      context.imageSmoothingEnabled = !isPixelForPixel;
      context.imageSmoothingQuality = place.width < layer.grid.width ? "medium" : "low";
      context.drawImage(layer.canvas, place.x, place.y, place.width, place.height);
      if (withTints) drawTints(context, layer, place);
    }
  }
}

function drawTints(context: CanvasRenderingContext2D, { grid, tints }: Layer, place: Place): void {
  const scaleX = place.width / grid.width;
  const scaleY = place.height / grid.height;
  for (const { x, y, width, height, color } of tints) {
    // Whole pixels, so that no two of them share one.
    const left = Math.round(place.x + x * scaleX);
    const top = Math.round(place.y + y * scaleY);
    const right = Math.round(place.x + (x + width) * scaleX);
    const bottom = Math.round(place.y + (y + height) * scaleY);
    context.fillStyle = color;
    context.fillRect(left, top, right - left, bottom - top);
  }
}

/** Hues that are far apart, however many there are: steps of the golden angle. */
export function tintsOf(result: MandelbrotResult): Tint[] {
  const { width, height, tile } = result;
  const chunks = result.chunks();
  const columns = Math.ceil(width / tile.width);
  const rows = Math.ceil(chunks.length / columns);
  return chunks.map(({ thread }, chunk) => {
    const row = Math.floor(chunk / columns);
    const x = (chunk % columns) * tile.width;
    const y = row * tile.height;
    return {
      x,
      y,
      width: Math.min(tile.width, width - x),
      height: (row === rows - 1 ? height : y + tile.height) - y, // the last band of a static schedule has the rest
      color: `hsl(${(thread * 137.5 + 20) % 360} 95% 55% / 0.42)`,
    };
  });
}

export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null)
    throw new Error("this browser gives no 2d context for a canvas, or has run out of memory for it");
  return context;
}
