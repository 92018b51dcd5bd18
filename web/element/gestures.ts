// From what hands do to what the picture does: pointers, wheel and keys.

import type { Point } from "./region.ts";

/** What gestures ask for. Points and distances are in the picture's pixels. */
export interface Commands {
  move(right: number, down: number, glides: boolean): void;
  /** `at` undefined: the middle. */
  zoom(factor: number, at: Point | undefined, glides: boolean): void;
  pinch(from: [Point, Point], to: [Point, Point]): void;
  reset(): void;
  stop(): void;
}

/** What an arrow key moves, as a part of the picture; with Shift, more. */
const KEY_SHARE = 0.1;
const KEY_SHARE_SHIFT = 0.5;
const KEY_FACTOR = 1.5;
const CLICK_FACTOR = 2;

/** Doublings a pixel of wheel: a notch has some 100. A pinch on a trackpad comes as a wheel of few pixels, with Ctrl. */
const WHEEL_RATE = 0.0035;
const TRACKPAD_RATE = 0.015;
const PIXELS_A_LINE = 36;
/** Most doublings of one event. */
const WHEEL_MOST = 1;
/** A wheel that turned elsewhere less than so many milliseconds ago still belongs to what it scrolled there. */
const WHEEL_REST_MS = 250;

/** Two taps so close in time, and in CSS pixels, are one double tap. */
const TAP_MS = 300;
const TAP_PIXELS = 24;

interface Tap extends Point {
  time: number;
}

/**
 * Listens on `view`, whose picture has `size()` pixels, until `signal` is aborted.
 */
export function listen(
  view: HTMLElement,
  size: () => { width: number; height: number },
  commands: Commands,
  signal: AbortSignal,
): void {
  /** Pixels of the picture: a page may have scaled the element, and what is seen of it is what counts. */
  const pointOf = (event: { clientX: number; clientY: number }): Point => {
    const box = view.getBoundingClientRect();
    const { width, height } = size();
    return {
      x: ((event.clientX - box.left) / box.width) * width,
      y: ((event.clientY - box.top) / box.height) * height,
    };
  };
  const on = <K extends keyof HTMLElementEventMap>(type: K, hear: (event: HTMLElementEventMap[K]) => void) =>
    view.addEventListener(type, hear, { signal, passive: false });

  // ── Pointers ──

  const pointers = new Map<number, Point>();
  let isMouse = true;
  let down: Tap | undefined;
  let lastTap: Tap | undefined;

  on("pointerdown", (event) => {
    isMouse = event.pointerType === "mouse";
    if (event.button !== 0) return;
    view.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, rounded(pointOf(event)));
    down = pointers.size === 1 ? { x: event.clientX, y: event.clientY, time: event.timeStamp } : undefined;
    view.classList.add("moving");
  });
  on("pointermove", (event) => {
    const from = pointers.get(event.pointerId);
    if (from === undefined) return;
    // Whole pixels, so that the picture stays sharp while it is moved.
    const to = rounded(pointOf(event));
    pointers.set(event.pointerId, to);
    const [other, more] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    if (to.x === from.x && to.y === from.y) return;
    if (other === undefined) commands.move(to.x - from.x, to.y - from.y, false);
    else if (more === undefined) commands.pinch([from, other], [to, other]);
  });
  const up = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId) || pointers.size > 0) return;
    view.classList.remove("moving");
    const start = down;
    down = undefined;
    // A mouse's double click is the system's affair: it knows how fast its user is.
    if (isMouse || event.type !== "pointerup" || start === undefined) return;
    const tap = { x: event.clientX, y: event.clientY, time: event.timeStamp };
    if (!isNear(start, tap)) return;
    if (lastTap !== undefined && isNear(lastTap, tap)) {
      lastTap = undefined;
      commands.zoom(CLICK_FACTOR, pointOf(event), true);
    } else {
      lastTap = tap;
    }
  };
  on("pointerup", up);
  on("pointercancel", up);
  on("lostpointercapture", up);
  on("dblclick", (event) => {
    event.preventDefault();
    if (isMouse) commands.zoom(event.shiftKey ? 1 / CLICK_FACTOR : CLICK_FACTOR, pointOf(event), true);
  });

  // ── Wheel ──

  // Who scrolls down a page does not mean the picture that comes under the pointer.
  let elsewhere = Number.NEGATIVE_INFINITY;
  const scrolled = (event: WheelEvent) => {
    if (!event.composedPath().includes(view)) elsewhere = event.timeStamp;
  };
  addEventListener("wheel", scrolled, { signal, passive: true, capture: true });
  on("wheel", (event) => {
    if (!event.ctrlKey && event.timeStamp - elsewhere < WHEEL_REST_MS) {
      elsewhere = event.timeStamp;
      return;
    }
    event.preventDefault();
    const unit = event.deltaMode === 1 ? PIXELS_A_LINE : event.deltaMode === 2 ? view.clientHeight : 1;
    const doublings = -event.deltaY * unit * (event.ctrlKey ? TRACKPAD_RATE : WHEEL_RATE);
    if (doublings === 0) return;
    commands.zoom(2 ** Math.max(-WHEEL_MOST, Math.min(WHEEL_MOST, doublings)), pointOf(event), false);
  });

  // ── Keys ──

  on("keydown", (event) => {
    // Ctrl, Alt and Meta with these keys are the browser's.
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const share = event.shiftKey ? KEY_SHARE_SHIFT : KEY_SHARE;
    const { width, height } = size();
    const right = Math.round(share * width);
    const downward = Math.round(share * height);
    const keys: Record<string, () => void> = {
      // An arrow moves the view, so the picture moves the other way.
      ArrowLeft: () => commands.move(right, 0, true),
      ArrowRight: () => commands.move(-right, 0, true),
      ArrowUp: () => commands.move(0, downward, true),
      ArrowDown: () => commands.move(0, -downward, true),
      "+": () => commands.zoom(KEY_FACTOR, undefined, true),
      "=": () => commands.zoom(KEY_FACTOR, undefined, true),
      "-": () => commands.zoom(1 / KEY_FACTOR, undefined, true),
      _: () => commands.zoom(1 / KEY_FACTOR, undefined, true),
      Home: () => commands.reset(),
      "0": () => commands.reset(),
      Escape: () => commands.stop(),
    };
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (act === undefined) return;
    // A dialog around the element may want to hear of Escape.
    if (event.key !== "Escape") event.preventDefault();
    act();
  });
}

function rounded({ x, y }: Point): Point {
  return { x: Math.round(x), y: Math.round(y) };
}

function isNear(a: Tap, b: Tap): boolean {
  return b.time - a.time < TAP_MS && Math.hypot(a.x - b.x, a.y - b.y) < TAP_PIXELS;
}
