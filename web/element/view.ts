// <mandelbrot-view>: attributes and properties, what is seen, and how the parts work together.

import { DEFAULT_PALETTE, PALETTES, type PaletteName } from "../../src/colors.ts";
import { type EngineError, messageOf } from "../../src/errors.ts";
import { MAX_ITERATIONS, readRegion, WHOLE_SET } from "../../src/mandelbrot.ts";
import { integer, oneOf, type Raw, refuse } from "../../src/options.ts";
import type {
  Algorithm,
  ChunkReport,
  Engine,
  MandelbrotResult,
  Mode,
  Progress,
  Region,
  WorkerReport,
} from "../../src/types.ts";
import { type Lease, leaseEngine } from "./engines.ts";
import { listen } from "./gestures.ts";
import { contextOf, Layer, Layers, tintsOf } from "./layers.ts";
import { gridOf } from "./passes.ts";
import {
  between,
  fitted,
  formatRegion,
  isFar,
  magnificationOf,
  moved,
  type Point,
  parseRegion,
  pinched,
  type Size,
  SOUND_UNITS,
  sameRegion,
  unitsOf,
  zoomed,
} from "./region.ts";
import { type Hooks, Renderer, type Target } from "./renderer.ts";
import { styleSheet } from "./style.ts";

/** What lies over the picture. */
export type Overlay = "none" | "workers";

/** What a finished render was. */
export interface RenderSummary {
  /** Pixels of the picture. */
  width: number;
  height: number;
  /** What it shows: `region`, and what there is beside it where the element has another shape. */
  region: Region;
  maxIterations: number;
  algorithm: Algorithm;
  mode: Mode;
  threads: number;
  /** Milliseconds that the last pass, which computes every pixel, took on the engine. */
  elapsedMs: number;
  /** Milliseconds from the render's start until it was painted, with the coarse passes. */
  totalMs: number;
  /** Iterations executed in the last pass. */
  iterations: number;
  workers: WorkerReport[];
  chunks(): ChunkReport[];
}

/** The events, by their names, and the type of their `detail`. None bubbles. */
export interface MandelbrotViewEvents {
  /** A render begins. */
  start: CustomEvent<{ region: Region; width: number; height: number; maxIterations: number }>;
  /** The last pass goes on, every 50 milliseconds or so; in pixels. */
  progress: CustomEvent<Progress>;
  /** A render has been painted. */
  done: CustomEvent<RenderSummary>;
  /** A render was stopped, by Escape, `abort()` or the next one. */
  abort: CustomEvent<undefined>;
  /** The engine did not start, a render failed, or an attribute cannot be read, so that its default holds. */
  error: CustomEvent<{ error: EngineError | Error }>;
  /** `region` has changed, by hand or by program; once a frame at most. */
  regionchange: CustomEvent<{ region: Region }>;
}

const DEFAULT_ITERATIONS = 1000;
const MAX_THREADS = 256;
const OVERLAYS: readonly Overlay[] = ["none", "workers"];
const ALGORITHMS: readonly Algorithm[] = ["exact", "naive"];
const DEFAULT_LABEL = "Mandelbrot set";

/** Most pixels of a picture: what needs more is computed with fewer, and stretched. */
const MAX_PIXELS = 2 ** 25;
/** Longest side of a canvas that all browsers make. */
const MAX_SIDE = 16_384;

/** Milliseconds that a picture takes to move to where a key or a double click sends it. */
const GLIDE_MS = 160;
/** Milliseconds before a render's progress is shown, so that it does not flicker. */
const PROGRESS_AFTER_MS = 300;
/** Milliseconds without a change before a screen reader is told, so that it is not told of every step. */
const ANNOUNCE_AFTER_MS = 600;

const KEYS =
  "Arrow keys move the picture, plus and minus zoom, Home shows the whole set, Escape stops the computation. " +
  "Or drag, turn the wheel, pinch, double-click.";
const LIMIT_NOTICE =
  "This is as deep as double precision goes: neighbouring pixels are nearly the same number, so a closer look would show " +
  "rounding errors, not the set.";

/** What the attributes mean. */
interface Settings {
  maxIterations: number;
  palette: PaletteName;
  threads: number | undefined;
  algorithm: Algorithm;
  overlay: Overlay;
}

/** Each setting from its attribute's text, null if there is none. Throws an `EngineError`. */
const READ = {
  "max-iterations": (text: string | null) => ({
    maxIterations: integer(
      numeric({ "max-iterations": text }),
      "max-iterations",
      1,
      MAX_ITERATIONS,
      DEFAULT_ITERATIONS,
    ),
  }),
  palette: (text: string | null) => ({
    palette: oneOf(given({ palette: text }), "palette", PALETTES, DEFAULT_PALETTE),
  }),
  threads: (text: string | null) => ({
    threads: text === null ? undefined : integer(numeric({ threads: text }), "threads", 1, MAX_THREADS, 1),
  }),
  algorithm: (text: string | null) => ({
    algorithm: oneOf(given({ algorithm: text }), "algorithm", ALGORITHMS, "exact"),
  }),
  overlay: (text: string | null) => ({ overlay: oneOf(given({ overlay: text }), "overlay", OVERLAYS, "none") }),
} satisfies Record<string, (text: string | null) => Partial<Settings>>;

type SettingAttribute = keyof typeof READ;

function given(attribute: Record<string, string | null>): Raw {
  return Object.fromEntries(Object.entries(attribute).map(([name, text]) => [name, text ?? undefined]));
}

/** A text that is no number is left as it is, for the error to show it. */
function numeric(attribute: Record<string, string | null>): Raw {
  const value = (text: string) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));
  return Object.fromEntries(
    Object.entries(attribute).map(([name, text]) => [name, text === null ? undefined : value(text)]),
  );
}

function readRegionText(text: string | null): Region {
  if (text === null) return WHOLE_SET;
  const region = parseRegion(text);
  if (region === undefined) refuse("region", "four numbers, reMin,reMax,imMin,imMax", text);
  return readRegion({ region });
}

/** On a server there are no elements; importing this file there does no harm. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * A picture of the Mandelbrot set to move around in, computed by the engine on all cores.
 *
 * @example
 * ```html
 * <script type="module" src="element.js"></script>
 * <mandelbrot-view region="-0.7501,-0.7381,0.1,0.108" max-iterations="2000"></mandelbrot-view>
 * ```
 *
 * Attributes: `region`, `max-iterations`, `palette`, `threads`, `algorithm`, `overlay`, which the properties of those names
 * reflect, and `label`, the name that a screen reader says. Parts: `view` (what has the focus), `canvas`, `progress`, `bar`,
 * `notice`, `retry`. Custom properties: `--mandelbrot-background`, `-surface`, `-text`, `-accent`, `-focus`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface has overloads of a method that is there
export class MandelbrotView extends Base {
  /** The names of the palettes. */
  static readonly palettes: readonly PaletteName[] = PALETTES;
  static readonly observedAttributes: readonly string[] = ["region", "label", ...Object.keys(READ)];

  readonly #parts: Parts;
  readonly #layers = new Layers();
  readonly #renderer: Renderer<Layer>;

  // ── What is asked for ──

  #region: Region = WHOLE_SET;
  readonly #settings: Settings = Object.assign({} as Settings, ...Object.values(READ).map((read) => read(null)));
  #engine: Engine | undefined;
  #lease: Lease | undefined;

  // ── What is seen ──

  #size: Size = { width: 0, height: 0 };
  /** The picture's pixels for a CSS pixel. */
  #scale = 1;
  #glide: { from: Region; begin: number } | undefined;
  /** What stays on the screen until there is something of a far view. */
  #held: Region | undefined;
  /** The layer that is all that was asked for, until something else is. */
  #picture: Layer | undefined;
  #result: RenderSummary | undefined;
  #failure: unknown;
  #isSeen = false;

  // ── What is to be done ──

  #wanted: "nothing" | "colors" | "picture" = "picture";
  #regionChanged = false;
  #isReflected = true;
  #byHand = false;
  #frame = 0;
  #announcing: ReturnType<typeof setTimeout> | undefined;
  #connection: AbortController | undefined;

  constructor() {
    super();
    this.#parts = makeParts(this.attachShadow({ mode: "open", delegatesFocus: true }));
    this.#renderer = new Renderer(this.#hooks());
    this.#parts.retry.addEventListener("click", () => {
      this.focus(); // the button is about to go
      this.restart();
    });
  }

  // ── Properties ──

  /**
   * What is to be seen, whole and with square pixels; where the element has another shape, more is seen beside it. Gestures
   * change it. Default: the whole set.
   *
   * @throws {EngineError} `E_ARGUMENT`, as all of the properties, for what it cannot be.
   */
  get region(): Region {
    return { ...this.#region };
  }

  set region(region: Region) {
    this.setAttribute("region", formatRegion(readRegion({ region })));
  }

  /** The count of a pixel that does not escape, from 1 to 2,147,483,647. Default: 1000. */
  get maxIterations(): number {
    return this.#settings.maxIterations;
  }

  set maxIterations(maxIterations: number) {
    this.#reflect("max-iterations", integer({ maxIterations }, "maxIterations", 1, MAX_ITERATIONS, DEFAULT_ITERATIONS));
  }

  /** One of `MandelbrotView.palettes`. Default: the first. */
  get palette(): PaletteName {
    return this.#settings.palette;
  }

  set palette(palette: PaletteName) {
    this.#reflect("palette", oneOf({ palette }, "palette", PALETTES, DEFAULT_PALETTE));
  }

  /** Most workers that take part; undefined, the default: all of the engine's. */
  get threads(): number | undefined {
    return this.#settings.threads;
  }

  set threads(threads: number | undefined) {
    this.#reflect("threads", threads === undefined ? undefined : integer({ threads }, "threads", 1, MAX_THREADS, 1));
  }

  /** Default: `exact`. */
  get algorithm(): Algorithm {
    return this.#settings.algorithm;
  }

  set algorithm(algorithm: Algorithm) {
    this.#reflect("algorithm", oneOf({ algorithm }, "algorithm", ALGORITHMS, "exact"));
  }

  /** `workers` tints each chunk of a finished picture by the worker that computed it. Default: `none`. */
  get overlay(): Overlay {
    return this.#settings.overlay;
  }

  set overlay(overlay: Overlay) {
    this.#reflect("overlay", oneOf({ overlay }, "overlay", OVERLAYS, "none"));
  }

  /**
   * The engine to use, which the caller closes. Default: undefined, for one that all such elements share; it starts when the
   * first of them is seen, and is closed when the last of them has left its document.
   */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  set engine(engine: Engine | undefined) {
    if (engine !== undefined && typeof engine?.mandelbrot !== "function") {
      refuse("engine", "an engine, as createEngine() gives, or undefined", engine);
    }
    if (engine === this.#engine) return;
    this.#engine = engine;
    this.#renderer.release();
    this.#endLease();
    this.#want("picture");
  }

  /** The engine that computes the pictures, when it has started. Rejects if it cannot, or outside a document. */
  get ready(): Promise<Engine> {
    if (!this.isConnected) return Promise.reject(outside());
    return this.#currentEngine();
  }

  /** What the last finished render was; undefined before the first. */
  get result(): RenderSummary | undefined {
    return this.#result;
  }

  // ── Methods ──

  /** Shows the whole set. */
  reset(): void {
    this.#moveTo(WHOLE_SET, false);
  }

  /** Magnifies about the point `x`, `y`, in CSS pixels from the upper left corner; default: the middle. */
  zoom(factor: number, x?: number, y?: number): void {
    if (!(factor > 0 && factor < Number.POSITIVE_INFINITY)) refuse("factor", "a number above 0", factor);
    const { width, height } = this.#size;
    const at = { x: x === undefined ? width / 2 : x * this.#scale, y: y === undefined ? height / 2 : y * this.#scale };
    if (width > 0) this.#moveTo(zoomed(this.#view, this.#size, factor, at), false);
  }

  /** Moves the picture by so many CSS pixels, to the right and down. */
  pan(dx: number, dy: number): void {
    if (!Number.isFinite(dx)) refuse("dx", "a finite number", dx);
    if (!Number.isFinite(dy)) refuse("dy", "a finite number", dy);
    if (this.#size.width > 0) this.#moveTo(moved(this.#view, this.#size, dx * this.#scale, dy * this.#scale), false);
  }

  /** Stops the render that goes on, if there is one. The next change, or `restart`, begins another one. */
  abort(): void {
    this.#wanted = "nothing";
    this.#renderer.abort();
    this.#held = undefined;
    this.#requestFrame();
  }

  /** Renders anew what is seen, even if it is finished, or failed. */
  restart(): void {
    this.#want("picture");
  }

  /**
   * The finished picture as a file, without the overlay; waits for it if it is not finished.
   *
   * @param type The file's MIME type. Default: `image/png`, which a browser also takes for what it cannot write.
   * @throws {DOMException} (as a rejection) `InvalidStateError` if the element is in no document or has no size,
   * `AbortError` if the render is stopped. What a render fails with.
   */
  async toBlob(type = "image/png"): Promise<Blob> {
    if (!this.isConnected) throw outside();
    this.#measure();
    if (this.#size.width === 0) {
      throw new DOMException(
        "the element has no size, so it has no picture: give it a width and a height",
        "InvalidStateError",
      );
    }
    const isIdle = this.#wanted === "nothing" && this.#renderer.idle === undefined;
    if (this.#picture === undefined && isIdle) this.#wanted = "picture";
    // Even if it is not seen. What is computed may be replaced by something else, again and again.
    this.#begin();
    for (let idle = this.#renderer.idle; idle !== undefined; idle = this.#renderer.idle) {
      await idle;
      this.#begin();
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#picture === undefined) throw new DOMException("the render was stopped", "AbortError");
    const { canvas } = this.#picture;
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => {
        if (blob !== null) resolve(blob);
        else reject(new DOMException(`the browser could not write the picture as ${type}`, "EncodingError"));
      }, type);
    });
  }

  // ── The document's calls ──

  connectedCallback(): void {
    this.#upgrade();
    if (this.#connection !== undefined) return; // it has only been moved
    const connection = new AbortController();
    const { signal } = connection;
    this.#connection = connection;
    listen(this.#parts.view, () => this.#size, this.#commands(), signal);
    observeSize(this.#parts.view, (width, height) => this.#resize(width, height), signal);
    observeSight(this, (isSeen) => this.#see(isSeen), signal);
  }

  disconnectedCallback(): void {
    // Who moves an element takes it out and puts it in again in one go.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#connection?.abort();
      this.#connection = undefined;
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      clearTimeout(this.#announcing);
      this.#isSeen = false;
      this.#renderer.release();
      this.#endLease();
      if (this.#wanted === "nothing" && this.#picture === undefined) this.#wanted = "picture";
    });
  }

  /** Present so that `moveBefore` moves the element without the two callbacks above. */
  connectedMoveCallback(): void {}

  attributeChangedCallback(name: string, _before: string | null, text: string | null): void {
    if (name === "label") {
      this.#parts.view.ariaLabel = text?.trim() || DEFAULT_LABEL;
    } else if (name === "region") {
      const region = this.#readOr(() => readRegionText(text), WHOLE_SET);
      if (!sameRegion(region, this.#region)) this.#moveTo(region, false);
      this.#isReflected = true;
    } else {
      const read = READ[name as SettingAttribute];
      this.#apply(this.#readOr(() => read(text), read(null)));
    }
  }

  /** Properties that were set before the class was there hide its own. */
  #upgrade(): void {
    for (const name of ["engine", "region", "maxIterations", "palette", "threads", "algorithm", "overlay"] as const) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this.#readOr(() => Object.assign(this, { [name]: value }), this);
    }
  }

  /** What `read` returns or, if it throws, `fallback`; then the page is told, once it can listen. */
  #readOr<T>(read: () => T, fallback: T): T {
    try {
      return read();
    } catch (error) {
      queueMicrotask(() => this.#emit("error", { error: error as Error }));
      return fallback;
    }
  }

  #reflect(name: SettingAttribute, value: string | number | undefined): void {
    if (value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }

  #apply(settings: Partial<Settings>): void {
    const changed = (Object.keys(settings) as (keyof Settings)[]).filter(
      (name) => settings[name] !== this.#settings[name],
    );
    if (changed.length === 0) return;
    Object.assign(this.#settings, settings);
    if (changed.includes("overlay")) {
      this.#requestFrame();
      return;
    }
    if (changed.includes("maxIterations")) this.#layers.markStale();
    this.#want(changed.includes("palette") ? "colors" : "picture");
  }

  // ── What is seen ──

  /** The region that fills the element. */
  get #view(): Region {
    return fitted(this.#region, this.#size);
  }

  #commands(): Parameters<typeof listen>[2] {
    const go = (view: Region, glides: boolean) => {
      this.#byHand = true;
      this.#moveTo(view, glides);
    };
    const middle = (): Point => ({ x: this.#size.width / 2, y: this.#size.height / 2 });
    return {
      move: (right, down, glides) => go(moved(this.#view, this.#size, right, down), glides),
      zoom: (factor, at = middle(), glides) => go(zoomed(this.#view, this.#size, factor, at), glides),
      pinch: (from, to) => go(pinched(this.#view, this.#size, from, to), false),
      reset: () => go(WHOLE_SET, true),
      stop: () => {
        if (this.#renderer.idle !== undefined) this.#say("Stopped.");
        this.abort();
      },
    };
  }

  #moveTo(region: Region, glides: boolean): void {
    const now = performance.now();
    const from = this.#camera(now);
    this.#region = region;
    this.#glide = undefined;
    this.#held = undefined;
    if (isFar(from, this.#view)) {
      this.#held = from;
    } else if (glides && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#glide = { from, begin: now };
    }
    this.#isReflected = false;
    this.#regionChanged = this.#connection !== undefined;
    this.#want("picture");
  }

  /** The region that is on the screen at this moment. */
  #camera(now: number): Region {
    if (this.#glide === undefined) return this.#held ?? this.#view;
    const time = (now - this.#glide.begin) / GLIDE_MS;
    if (time >= 1) {
      this.#glide = undefined;
      return this.#view;
    }
    return between(this.#glide.from, this.#view, 1 - (1 - Math.max(0, time)) ** 3);
  }

  /** Notes what there is to do, and ends at once what need not be done any more. */
  #want(what: "colors" | "picture"): void {
    if (this.#wanted !== "picture") this.#wanted = what;
    this.#picture = undefined;
    this.#renderer.supersede();
    this.#requestFrame();
  }

  #requestFrame(): void {
    if (this.#connection === undefined || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      if (this.#regionChanged) {
        this.#regionChanged = false;
        this.#emit("regionchange", { region: this.region });
      }
      if (this.#isSeen) this.#begin();
      this.#draw(now);
    });
  }

  #draw(now: number): void {
    if (this.#size.width === 0) return;
    this.#layers.draw(
      contextOf(this.#parts.canvas),
      this.#camera(now),
      this.#size,
      this.#settings.overlay === "workers",
    );
    if (this.#glide !== undefined) this.#requestFrame();
    if (this.#failure === undefined) {
      this.#notice(unitsOf(this.#view, this.#size) < SOUND_UNITS ? LIMIT_NOTICE : undefined, false);
    }
  }

  #resize(width: number, height: number): void {
    // Less than is there, in proportion, if that is more than can be.
    const share = Math.min(1, MAX_SIDE / Math.max(width, height), Math.sqrt(MAX_PIXELS / (width * height)));
    const size = { width: Math.floor(width * share), height: Math.floor(height * share) };
    if (size.width === 0 || size.height === 0) size.width = size.height = 0;
    this.#scale = size.width / Math.max(1, this.#parts.view.clientWidth);
    if (size.width === this.#size.width && size.height === this.#size.height) return;
    this.#size = size;
    this.#glide = undefined;
    this.#held = undefined;
    this.#want("picture");
    this.#parts.canvas.width = size.width;
    this.#parts.canvas.height = size.height;
    this.#draw(performance.now()); // now, as the canvas is empty, and about to be seen
  }

  /** Takes the size now, for who cannot wait until it is reported. */
  #measure(): void {
    if (this.#size.width > 0) return;
    const { clientWidth, clientHeight } = this.#parts.view;
    this.#resize(Math.round(clientWidth * devicePixelRatio), Math.round(clientHeight * devicePixelRatio));
  }

  #see(isSeen: boolean): void {
    if (isSeen === this.#isSeen) return;
    this.#isSeen = isSeen;
    if (isSeen) {
      this.#requestFrame();
    } else if (this.#renderer.idle !== undefined) {
      this.#renderer.abort();
      this.#wanted = "picture";
    }
  }

  // ── Rendering ──

  /** Begins what is wanted. */
  #begin(): void {
    const wanted = this.#wanted;
    if (wanted === "nothing" || this.#size.width === 0 || this.#connection === undefined) return;
    this.#wanted = "nothing";
    const { maxIterations, algorithm, threads, palette } = this.#settings;
    const target = { view: this.#view, size: this.#size, maxIterations, algorithm, threads, palette };
    if (wanted === "colors") this.#renderer.recolor(target);
    else this.#renderer.render(target);
  }

  #currentEngine(): Promise<Engine> {
    if (this.#engine !== undefined) return Promise.resolve(this.#engine);
    this.#lease ??= leaseEngine();
    return this.#lease.engine;
  }

  #endLease(): void {
    this.#lease?.end();
    this.#lease = undefined;
  }

  #hooks(): Hooks<Layer> {
    let begin = 0;
    const progress = (share: number | undefined) => {
      this.#parts.progress.classList.toggle("on", share !== undefined);
      if (share !== undefined) this.#parts.bar.style.setProperty("--_share", String(share));
    };
    return {
      engine: () => this.#currentEngine(),
      needs: ({ view, size }, step) => {
        const { region, width } = gridOf(view, size, step);
        return !this.#layers.show(view, size, (region.reMax - region.reMin) / width);
      },
      open: (grid) => new Layer(grid),
      show: (layer, isWhole, result) => {
        layer.isWhole = isWhole;
        if (!isFar(layer.grid.region, this.#view)) this.#held = undefined;
        if (result === undefined) {
          this.#layers.add(layer);
        } else {
          layer.tints = tintsOf(result);
          this.#layers.addOnly(layer);
          if (this.#wanted === "nothing") this.#picture = layer;
        }
        this.#requestFrame();
      },
      started: ({ view, size, maxIterations }) => {
        begin = performance.now();
        this.#failure = undefined;
        this.#emit("start", { region: view, ...size, maxIterations });
      },
      progressed: (detail) => {
        if (performance.now() - begin > PROGRESS_AFTER_MS) progress(detail.done / detail.total);
        this.#emit("progress", detail);
      },
      finished: (target, result, engine, totalMs) => {
        progress(undefined);
        this.#result = summaryOf(target, result, engine, totalMs);
        this.#rest();
        this.#emit("done", this.#result);
      },
      aborted: () => {
        progress(undefined);
        this.#emit("abort", undefined);
      },
      failed: (error) => {
        progress(undefined);
        this.#endLease(); // whoever tries again is to get a new one
        this.#failure = error;
        this.#held = undefined;
        this.#requestFrame();
        const message = messageOf(error);
        const sentence = message.charAt(0).toUpperCase() + message.slice(1);
        this.#notice(sentence, true);
        this.#say(sentence);
        this.#emit("error", { error: error instanceof Error ? error : new Error(String(error)) });
      },
      pause: () => pause(),
      now: () => performance.now(),
    };
  }

  /** The picture has come to rest: the attribute says where, and whoever moved it hears it. */
  #rest(): void {
    if (this.#wanted !== "nothing") return;
    if (!this.#isReflected) this.setAttribute("region", formatRegion(this.#region));
    if (this.#byHand) this.#say(describe(this.#view, this.#size));
    this.#byHand = false;
  }

  // ── Words ──

  #notice(text: string | undefined, isFailure: boolean): void {
    const { notice, sentence, retry } = this.#parts;
    notice.hidden = text === undefined;
    retry.hidden = !isFailure;
    notice.classList.toggle("failure", isFailure);
    if (sentence.textContent === (text ?? "")) return;
    sentence.textContent = text ?? "";
    if (text === LIMIT_NOTICE) this.#say(text);
  }

  #say(text: string): void {
    clearTimeout(this.#announcing);
    this.#announcing = setTimeout(() => {
      this.#parts.status.textContent = text;
    }, ANNOUNCE_AFTER_MS);
  }

  #emit<Name extends keyof MandelbrotViewEvents>(name: Name, detail: MandelbrotViewEvents[Name]["detail"]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Typed listening for the element's own events. */
export interface MandelbrotView {
  addEventListener<Name extends keyof MandelbrotViewEvents>(
    type: Name,
    listener: (this: MandelbrotView, event: MandelbrotViewEvents[Name]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "mandelbrot-view": MandelbrotView;
  }
}

interface Parts {
  view: HTMLElement;
  canvas: HTMLCanvasElement;
  progress: HTMLElement;
  bar: HTMLElement;
  notice: HTMLElement;
  sentence: HTMLElement;
  retry: HTMLButtonElement;
  status: HTMLElement;
}

function makeParts(root: ShadowRoot): Parts {
  root.adoptedStyleSheets = [styleSheet()];
  const make = <Tag extends keyof HTMLElementTagNameMap>(tag: Tag, part?: string) => {
    const element = document.createElement(tag);
    if (part !== undefined) element.setAttribute("part", part);
    return element;
  };
  const view = make("div", "view");
  view.tabIndex = 0;
  // So that a screen reader leaves the arrow keys to the picture.
  view.role = "application";
  view.ariaRoleDescription = "zoomable picture";
  view.ariaLabel = DEFAULT_LABEL;
  view.setAttribute("aria-describedby", "keys");
  const canvas = make("canvas", "canvas");
  view.append(canvas);

  const keys = make("span");
  keys.id = "keys";
  keys.hidden = true; // a description may be
  keys.textContent = KEYS;
  const progress = make("div", "progress");
  const bar = make("div", "bar");
  progress.append(bar);
  const notice = make("div", "notice");
  notice.hidden = true;
  const sentence = make("span");
  const retry = make("button", "retry");
  retry.type = "button";
  retry.textContent = "Try again";
  notice.append(sentence, retry);
  const status = make("span");
  status.className = "unseen";
  status.role = "status";
  for (const words of [keys, notice, status]) words.lang = "en";
  root.append(view, progress, notice, status, keys);
  return { view, canvas, progress, bar, notice, sentence, retry, status };
}

/** Reports the size in device pixels, at once and when it changes, until `signal` is aborted. */
function observeSize(element: HTMLElement, hear: (width: number, height: number) => void, signal: AbortSignal): void {
  const hasExact = "devicePixelContentBoxSize" in ResizeObserverEntry.prototype;
  const rounded = ({ width, height }: Size) => ({
    width: Math.round(width * devicePixelRatio),
    height: Math.round(height * devicePixelRatio),
  });
  const observer = new ResizeObserver((entries) => {
    const entry = entries.at(-1);
    if (entry === undefined) return;
    const about = rounded(entry.contentRect);
    const exact = hasExact ? entry.devicePixelContentBoxSize[0] : undefined;
    // Of a screen that a developer's tool pretends, that box knows nothing.
    const isRight = exact !== undefined && Math.abs(exact.inlineSize - about.width) <= 1;
    if (isRight) hear(exact.inlineSize, exact.blockSize);
    else hear(about.width, about.height);
  });
  observer.observe(element, hasExact ? { box: "device-pixel-content-box" } : {});
  signal.addEventListener("abort", () => observer.disconnect());
  if (hasExact) return;
  // Without that box, a change of the ratio alone is not reported.
  const watch = () => {
    if (signal.aborted) return;
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", watch, { once: true, signal });
    const { width, height } = rounded(element.getBoundingClientRect());
    hear(width, height);
  };
  watch();
}

/** Reports whether the element is in sight, or nearly, on a page that is seen. */
function observeSight(element: HTMLElement, hear: (isSeen: boolean) => void, signal: AbortSignal): void {
  let isNear = false;
  const tell = () => hear(isNear && document.visibilityState === "visible");
  const observer = new IntersectionObserver(
    (entries) => {
      isNear = entries.at(-1)?.isIntersecting ?? isNear;
      tell();
    },
    { rootMargin: "100px" },
  );
  observer.observe(element);
  document.addEventListener("visibilitychange", tell, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}

function summaryOf(target: Target, result: MandelbrotResult, engine: Engine, totalMs: number): RenderSummary {
  const { width, height, region, maxIterations, threads, elapsedMs, workers } = result;
  return {
    width,
    height,
    region,
    maxIterations,
    algorithm: target.algorithm,
    mode: engine.mode,
    threads,
    elapsedMs,
    totalMs,
    iterations: workers.reduce((sum, { iterations }) => sum + iterations, 0),
    workers,
    chunks: () => result.chunks(),
  };
}

/** Where the picture is, in words. */
function describe(view: Region, size: Size): string {
  const pitch = (view.reMax - view.reMin) / size.width;
  const digits = Math.min(20, Math.max(2, 1 - Math.floor(Math.log10(pitch * 100))));
  const part = (value: number) => value.toFixed(digits).replace("-", "−");
  const re = part((view.reMin + view.reMax) / 2);
  const im = (view.imMin + view.imMax) / 2;
  const times = magnificationOf(view).toLocaleString("en", { maximumSignificantDigits: 3 });
  return `Centre ${re} ${im < 0 ? "−" : "+"} ${part(Math.abs(im))} i, magnified ${times} times.`;
}

function outside(): DOMException {
  return new DOMException("the element is in no document, so it has no engine: append it first", "InvalidStateError");
}

/** Lets the page handle what has come meanwhile. */
function pause(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?: () => Promise<void> } };
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
}
