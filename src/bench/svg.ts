// An SVG document as data: a terminal's file needs its text, a page its elements, and pages under Trusted Types make
// none from text.

export interface SvgNode {
  name: string;
  /** Numbers are written to a tenth of a pixel, so that the same figures give the same document. */
  attributes: Readonly<Record<string, string | number>>;
  children: readonly (SvgNode | string)[];
}

export function svg(
  name: string,
  attributes: SvgNode["attributes"] = {},
  ...children: readonly (SvgNode | string)[]
): SvgNode {
  return { name, attributes, children };
}

/** An attribute's value as it is written. */
export function attributeText(value: string | number): string {
  return typeof value === "number" ? tenth(value) : value;
}

/** To a tenth, for paths and transforms. */
export function tenth(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}

/** The text of a node and all that is in it: of a whole document if the node is one. */
export function toXml(node: SvgNode | string): string {
  if (typeof node === "string") return escapeXml(node);
  const attributes = Object.entries(node.attributes).map(
    ([name, value]) => ` ${name}="${escapeXml(attributeText(value))}"`,
  );
  const tag = node.name + attributes.join("");
  if (node.children.length === 0) return `<${tag}/>\n`;
  const hasElements = node.children.some((child) => typeof child !== "string");
  return `<${tag}>${hasElements ? "\n" : ""}${node.children.map(toXml).join("")}</${node.name}>\n`;
}

/** Control characters, which XML forbids, become spaces. */
function escapeXml(content: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return content.replace(/\p{Cc}/gu, " ").replace(/[&<>"]/g, (character) => entities[character] as string);
}
