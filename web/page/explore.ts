// The view to look at: the element, its settings, and what there is to say about the last picture.

import type { Engine, Region } from "allcores";
import "allcores/element";
import type { MandelbrotView, PaletteName, RenderSummary } from "allcores/element";
import { integer, ms, plural } from "../../src/bench/format.ts";
import { DEFAULT_PALETTE, type Escapes, PALETTES, paint } from "../../src/colors.ts";
import { integerOf, wordOf } from "./address.ts";
import { byId, choose, chosen, element, setShare } from "./dom.ts";
import { pageEngine, sentenceOf } from "./engine.ts";
import { copy, save } from "./files.ts";
import { PLACES, type Place } from "./places.ts";
import { race } from "./race.ts";
import { isDark, onTheme } from "./theme.ts";
import { workerLegend } from "./workers.ts";

/** The slider's steps. */
const ITERATIONS = [
  ...[50, 100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10_000, 15_000, 20_000, 30_000, 50_000],
  100_000,
];
const DEFAULT_ITERATIONS = 1000;
const MOST_ITERATIONS = 1_000_000;

const WHOLE: Region = (PLACES[0] as Place).region;

/** CSS pixels of a thumbnail; more on fine screens. */
const THUMBNAIL = { width: 76, height: 57 };

export class Explore {
  readonly #picture = byId<MandelbrotView>("picture");
  readonly #changed: () => void;
  #engine: Engine | undefined;
  #racing: AbortController | undefined;
  #thumbnails: Thumbnail[] = [];

  /** `changed` is called when the parameters have changed by hand. */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#makePlaces();
    this.#makePalettes();
    this.#listen();
    onTheme(() => this.#showWorkers());
  }

  /** What the address holds. */
  get parameters(): Record<string, string | undefined> {
    const { region, maxIterations, palette, threads, algorithm, overlay } = this.#picture;
    const { reMin, reMax, imMin, imMax } = region;
    const figures = [reMin, reMax, imMin, imMax].join();
    return {
      region: figures === [WHOLE.reMin, WHOLE.reMax, WHOLE.imMin, WHOLE.imMax].join() ? undefined : figures,
      iterations: maxIterations === DEFAULT_ITERATIONS ? undefined : `${maxIterations}`,
      palette: palette === DEFAULT_PALETTE ? undefined : palette,
      threads: threads === undefined ? undefined : `${threads}`,
      algorithm: algorithm === "exact" ? undefined : algorithm,
      overlay: overlay === "none" ? undefined : overlay,
    };
  }

  /** Takes over what an address says; what it does not say, or says wrong, is the default. */
  apply(parameters: URLSearchParams): void {
    const picture = this.#picture;
    picture.region = readRegion(parameters.get("region")) ?? WHOLE;
    picture.maxIterations = integerOf(parameters, "iterations", 1, MOST_ITERATIONS) ?? DEFAULT_ITERATIONS;
    picture.palette = wordOf(parameters, "palette", PALETTES) ?? DEFAULT_PALETTE;
    picture.threads = integerOf(parameters, "threads", 1, 256);
    picture.algorithm = wordOf(parameters, "algorithm", ["exact", "naive"]) ?? "exact";
    picture.overlay = wordOf(parameters, "overlay", ["none", "workers"]) ?? "none";
    this.#showSettings();
    for (const thumbnail of this.#thumbnails) thumbnail.paint(picture.palette);
  }

  /** Gives the picture its engine, or says why there is none. */
  async start(): Promise<void> {
    try {
      const engine = await pageEngine();
      this.#engine = engine;
      this.#picture.engine = engine;
      this.#showSettings();
      const alone = engine.threads === 1;
      byId<HTMLButtonElement>("race").disabled = alone;
      byId<HTMLInputElement>("threads").disabled = alone;
      if (alone) {
        byId("race-result").textContent =
          engine.mode === "single" ? engine.modeReason.message : "There is one core here, so one thread is all.";
      }
      byId<HTMLButtonElement>("png").disabled = false;
    } catch (error) {
      // The element tries for itself, says what failed, and offers to try again.
      byId("race-result").textContent = sentenceOf(error);
    } finally {
      // Not before: it would start an engine of its own as soon as it is seen.
      this.#picture.hidden = false;
    }
  }

  // ── What is made once ──

  #makePlaces(): void {
    const list = byId("places");
    for (const place of PLACES) {
      const thumbnail = new Thumbnail(place);
      const button = element(
        "button",
        { type: "button", className: "place" },
        thumbnail.canvas,
        element("span", { textContent: place.name }),
      );
      button.addEventListener("click", () => {
        this.#picture.maxIterations = place.maxIterations;
        this.#picture.region = place.region;
        this.#touched();
      });
      this.#thumbnails.push(thumbnail);
      list.append(element("li", {}, button));
    }
  }

  #makePalettes(): void {
    const group = byId("palettes");
    for (const palette of PALETTES) {
      const input = element("input", { type: "radio", name: "palette", value: palette });
      input.addEventListener("change", () => {
        this.#picture.palette = palette;
        for (const thumbnail of this.#thumbnails) thumbnail.paint(palette);
        this.#touched();
      });
      group.append(element("label", {}, input, swatch(palette), element("span", { textContent: palette })));
    }
  }

  #listen(): void {
    const picture = this.#picture;
    picture.addEventListener("regionchange", () => {
      this.#racing?.abort();
      this.#forgetRace();
      this.#changed();
      this.#showPlace();
    });
    picture.addEventListener("done", ({ detail }) => {
      this.#showLive(detail);
      void this.#drawThumbnails();
    });

    const iterations = byId<HTMLInputElement>("iterations");
    iterations.max = `${ITERATIONS.length - 1}`;
    iterations.addEventListener("input", () => {
      picture.maxIterations = ITERATIONS[iterations.valueAsNumber] as number;
      this.#touched();
    });
    const threads = byId<HTMLInputElement>("threads");
    threads.addEventListener("input", () => {
      picture.threads = threads.valueAsNumber === this.#engine?.threads ? undefined : threads.valueAsNumber;
      this.#touched();
    });
    byId("switch").addEventListener("change", () => {
      picture.threads = chosen(byId("switch")) === "one" ? 1 : undefined;
      picture.restart(); // so that the difference is seen
      this.#touched();
    });
    byId<HTMLInputElement>("naive").addEventListener("change", ({ target }) => {
      picture.algorithm = (target as HTMLInputElement).checked ? "naive" : "exact";
      this.#touched();
    });
    byId<HTMLInputElement>("overlay").addEventListener("change", ({ target }) => {
      picture.overlay = (target as HTMLInputElement).checked ? "workers" : "none";
      this.#touched();
    });
    byId("race").addEventListener("click", () => void this.#race());
    byId("whole").addEventListener("click", () => picture.reset());
    byId("png").addEventListener("click", () => void this.#savePng());
    byId("share").addEventListener("click", async () => {
      this.#say(await copy(location.href, "Link"));
    });
  }

  /** A setting was changed by hand. */
  #touched(): void {
    this.#showSettings();
    this.#forgetRace();
    this.#changed();
  }

  // ── What is shown ──

  #showSettings(): void {
    const { maxIterations, palette, threads, algorithm, overlay } = this.#picture;
    const iterations = byId<HTMLInputElement>("iterations");
    iterations.value = `${nearest(ITERATIONS, maxIterations)}`;
    iterations.setAttribute("aria-valuetext", integer(maxIterations));
    byId("iterations-value").textContent = integer(maxIterations);

    const most = this.#engine?.threads ?? 2;
    const used = Math.min(threads ?? most, most);
    const slider = byId<HTMLInputElement>("threads");
    slider.max = `${most}`;
    slider.value = `${used}`;
    byId("threads-value").textContent = this.#engine === undefined ? "–" : `${used} of ${most}`;
    choose(byId("switch"), used === most ? "all" : used === 1 ? "one" : "");
    byId("race-all-name").textContent = this.#engine === undefined ? "all threads" : plural(most, "thread");

    choose(byId("palettes"), palette);
    byId<HTMLInputElement>("naive").checked = algorithm === "naive";
    byId<HTMLInputElement>("overlay").checked = overlay === "workers";
    this.#showPlace();
    this.#showWorkers();
  }

  #showPlace(): void {
    const { region, maxIterations } = this.#picture;
    const here = (place: Place) => sameRegion(place.region, region) && place.maxIterations === maxIterations;
    byId("places")
      .querySelectorAll("button")
      .forEach((button, index) => {
        button.setAttribute("aria-pressed", `${here(PLACES[index] as Place)}`);
      });
  }

  #showWorkers(): void {
    const shown = this.#picture.overlay === "workers" && this.#engine !== undefined;
    const threads = Math.min(this.#picture.threads ?? 256, this.#engine?.threads ?? 1);
    byId("workers").replaceChildren(...(shown ? workerLegend(threads, isDark()) : []));
  }

  #showLive({ mode, threads, elapsedMs, iterations, width, height }: RenderSummary): void {
    byId("live-mode").textContent = mode;
    byId("live-threads").textContent = `${threads}`;
    byId("live-ms").textContent = ms(elapsedMs);
    byId("live-rate").textContent = rate(iterations / elapsedMs);
    byId("live-size").textContent = `${width} × ${height}`;
  }

  #say(text: string): void {
    byId("explore-said").textContent = text;
  }

  // ── What is done ──

  async #race(): Promise<void> {
    const { result } = this.#picture;
    if (this.#racing !== undefined) return this.#racing.abort();
    if (this.#engine === undefined || result === undefined) return;
    const racing = new AbortController();
    this.#racing = racing;
    const button = byId<HTMLButtonElement>("race");
    button.textContent = "Stop";
    this.#forgetRace("Racing …");
    const { width, height, region, maxIterations, algorithm } = result;
    try {
      const { pictures, oneMs, allMs } = await race(
        this.#engine,
        { width, height, region, maxIterations, algorithm },
        ({ who, share }) => setShare(byId(`race-${who}`), share),
        racing.signal,
      );
      byId("race-one-time").textContent = ms(oneMs);
      byId("race-all-time").textContent = ms(allMs);
      const times = plural(pictures, "picture");
      byId("race-result").textContent = `${(oneMs / allMs).toFixed(2)} times as fast. Medians of ${times} each.`;
    } catch (error) {
      this.#forgetRace(racing.signal.aborted ? undefined : sentenceOf(error));
    } finally {
      this.#racing = undefined;
      button.textContent = "Race";
    }
  }

  #forgetRace(text = "Draws this view with each, and takes the time."): void {
    if (this.#engine?.threads === 1) return;
    for (const who of ["one", "all"]) {
      setShare(byId(`race-${who}`), 0);
      byId(`race-${who}-time`).textContent = "–";
    }
    byId("race-result").textContent = text;
  }

  async #savePng(): Promise<void> {
    try {
      const { reMin, imMin } = this.#picture.region;
      save(`mandelbrot_${reMin}_${imMin}.png`, await this.#picture.toBlob());
      this.#say("Picture saved.");
    } catch (error) {
      this.#say(sentenceOf(error));
    }
  }

  /** After the first picture, so that nobody waits for them. */
  async #drawThumbnails(): Promise<void> {
    const waiting = this.#thumbnails.filter((thumbnail) => thumbnail.isWaiting);
    for (const thumbnail of waiting) {
      if (this.#engine !== undefined) await thumbnail.draw(this.#engine, this.#picture.palette);
    }
  }
}

/** A small picture of a place. */
class Thumbnail {
  readonly canvas: HTMLCanvasElement;
  readonly #place: Place;
  #escapes: Escapes | undefined;
  #state: "waiting" | "drawing" | "drawn" = "waiting";

  constructor(place: Place) {
    this.#place = place;
    const scale = Math.min(2, devicePixelRatio);
    const { width, height } = THUMBNAIL;
    this.canvas = element("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    this.canvas.setAttribute("aria-hidden", "true");
  }

  get isWaiting(): boolean {
    return this.#state === "waiting";
  }

  async draw(engine: Engine, palette: PaletteName): Promise<void> {
    const { width, height } = this.canvas;
    const { region, maxIterations } = this.#place;
    this.#state = "drawing";
    try {
      const { counts, magnitudes } = await engine.mandelbrot({
        width,
        height,
        region: covering(region, width / height),
        maxIterations,
        magnitudes: true,
      });
      this.#escapes = { counts, magnitudes: magnitudes as Float32Array };
      this.#state = "drawn";
      this.paint(palette);
    } catch {
      this.#state = "waiting"; // the next picture is another chance
    }
  }

  paint(palette: PaletteName): void {
    if (this.#escapes !== undefined) fill(this.canvas, this.#escapes, palette);
  }
}

/** The palette's colours, by a picture of one row whose counts grow. */
function swatch(palette: PaletteName): HTMLCanvasElement {
  const canvas = element("canvas", { width: 96, height: 1 });
  canvas.setAttribute("aria-hidden", "true");
  const counts = Uint32Array.from({ length: canvas.width }, (_, x) => 8 * 2 ** (x / 30));
  fill(canvas, { counts, magnitudes: new Float32Array(canvas.width).fill(1e6) }, palette);
  return canvas;
}

function fill(canvas: HTMLCanvasElement, escapes: Escapes, palette: PaletteName): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const words = new Uint32Array(image.data.buffer);
  paint(escapes, palette, words, 0, words.length);
  context.putImageData(image, 0, 0);
}

/** As much of a region's middle as has this shape. */
function covering({ reMin, reMax, imMin, imMax }: Region, aspect: number): Region {
  const width = Math.min(reMax - reMin, (imMax - imMin) * aspect);
  const height = width / aspect;
  const re = (reMin + reMax) / 2;
  const im = (imMin + imMax) / 2;
  return { reMin: re - width / 2, reMax: re + width / 2, imMin: im - height / 2, imMax: im + height / 2 };
}

function readRegion(text: string | null): Region | undefined {
  const [reMin, reMax, imMin, imMax, more] = (text ?? "")
    .split(",")
    .map((part) => (part === "" ? Number.NaN : Number(part)));
  if (reMin === undefined || reMax === undefined || imMin === undefined || imMax === undefined) return undefined;
  if (more !== undefined || !(reMax > reMin) || !(imMax > imMin)) return undefined;
  return [reMin, reMax, imMin, imMax].every(Number.isFinite) ? { reMin, reMax, imMin, imMax } : undefined;
}

function sameRegion(a: Region, b: Region): boolean {
  return a.reMin === b.reMin && a.reMax === b.reMax && a.imMin === b.imMin && a.imMax === b.imMax;
}

function nearest(values: readonly number[], wanted: number): number {
  const distances = values.map((value) => Math.abs(Math.log(value / wanted)));
  return distances.indexOf(Math.min(...distances));
}

/** Iterations in a millisecond, as those in a second: "8.41 G". */
function rate(perMs: number): string {
  if (!Number.isFinite(perMs)) return "–";
  const perSecond = perMs * 1000;
  const [unit, size] = perSecond >= 1e9 ? ["G", 1e9] : perSecond >= 1e6 ? ["M", 1e6] : ["k", 1e3];
  return `${(perSecond / (size as number)).toPrecision(3)} ${unit}`;
}
