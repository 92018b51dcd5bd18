// The element's style: a constructed sheet, which a content security policy without 'unsafe-inline' allows.

const CSS = `
:host {
  display: block;
  position: relative;
  aspect-ratio: 3 / 2;
  min-inline-size: 0;
  contain: layout paint style;
  background: var(--mandelbrot-background, #030408);
  --_surface: #fffffff2;
  --_text: #14171d;
}
@supports (color: light-dark(#000, #fff)) {
  :host {
    --_surface: light-dark(#fffffff2, #14171df2);
    --_text: light-dark(#14171d, #f1f3f7);
  }
}
:host([hidden]) { display: none; }
[part="view"] {
  position: absolute;
  inset: 0;
  writing-mode: horizontal-tb;
  cursor: grab;
  outline: none;
  touch-action: none;
  user-select: none;
  -webkit-user-select: none;
  -webkit-touch-callout: none;
  -webkit-tap-highlight-color: transparent;
}
[part="view"].moving { cursor: grabbing; }
canvas { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
/* Two tones: one of them is seen on any picture. */
[part="view"]:focus-visible::after {
  content: "";
  position: absolute;
  inset: 0;
  border: 3px solid var(--mandelbrot-focus, #fff);
  outline: 2px solid #0b57d0;
  outline-offset: -5px;
  pointer-events: none;
}
[part="progress"] {
  position: absolute;
  inset: auto 0 0;
  block-size: 3px;
  background: #0006;
  opacity: 0;
  transition: opacity 0.2s;
  pointer-events: none;
}
[part="progress"].on { opacity: 1; }
[part="bar"] {
  block-size: 100%;
  background: var(--mandelbrot-accent, #ffbf3f);
  transform: scaleX(var(--_share, 0));
  transform-origin: left;
}
[part="notice"] {
  position: absolute;
  inset: auto 0 0;
  margin: 0.75rem auto;
  inline-size: fit-content;
  max-inline-size: min(40rem, 100% - 1.5rem);
  box-sizing: border-box;
  padding: 0.6rem 0.9rem;
  border-radius: 0.5rem;
  background: var(--mandelbrot-surface, var(--_surface));
  color: var(--mandelbrot-text, var(--_text));
  font: 0.875rem/1.45 system-ui, sans-serif;
  overflow-wrap: anywhere;
  box-shadow: 0 1px 6px #0006;
}
[part="notice"].failure { inset-block: 0; margin-block: auto; block-size: fit-content; max-block-size: 100%; overflow: auto; }
[part="notice"][hidden], [part="retry"][hidden] { display: none; }
[part="retry"] {
  display: block;
  margin-block-start: 0.6rem;
  padding: 0.35rem 0.8rem;
  border: 1px solid currentcolor;
  border-radius: 0.4rem;
  background: none;
  color: inherit;
  font: inherit;
  cursor: pointer;
}
.unseen {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@media (prefers-reduced-motion: reduce) {
  [part="progress"] { transition: none; }
}
@media (forced-colors: active) {
  [part="notice"] { border: 1px solid; }
}
`;

let sheet: CSSStyleSheet | undefined;

/** Made when the first element is: on a server there are no style sheets. */
export function styleSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
