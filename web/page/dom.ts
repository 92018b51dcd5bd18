// Small helpers for the page's elements.

import { attributeText, type SvgNode } from "../../src/bench/svg.ts";

/** The element of the page that has this id. */
export function byId<T extends Element = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as unknown as T;
}

type Properties<Tag extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[Tag], "style" | "dataset">
>;

/** A new element. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties<Tag> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** An SVG document as elements: no text is parsed, so no policy minds. */
export function svgElement(node: SvgNode): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", node.name);
  for (const [name, value] of Object.entries(node.attributes)) {
    if (name !== "xmlns") made.setAttribute(name, attributeText(value));
  }
  made.append(...node.children.map((child) => (typeof child === "string" ? child : svgElement(child))));
  return made;
}

/** How full a bar is: 0 to 1. */
export function setShare(bar: HTMLElement, share: number): void {
  bar.style.setProperty("--share", `${Math.min(1, Math.max(0, share))}`);
}

/** The chosen radio button's value. */
export function chosen(group: HTMLElement): string | undefined {
  return group.querySelector<HTMLInputElement>("input:checked")?.value;
}

/** Chooses the radio button, or the option, with this value, if there is one. */
export function choose(control: HTMLElement, value: string): void {
  if (control instanceof HTMLSelectElement) {
    if ([...control.options].some((option) => option.value === value)) control.value = value;
    return;
  }
  for (const input of control.querySelectorAll<HTMLInputElement>("input")) input.checked = input.value === value;
}

/** Lets the browser paint. */
export function nextFrame(): Promise<void> {
  // In a hidden page there are no frames.
  if (document.hidden) return new Promise((resolve) => setTimeout(resolve));
  return new Promise((resolve) => requestAnimationFrame(() => resolve()));
}
