// The drawing of the network: a small plane for each input and neuron, and a line for each weight.

import { html, setAttribute, svg } from "./elements.js";
import { GRID, SMALL } from "./plane.js";
import { boundOf, paintAroundZero } from "./raster.js";

/** @typedef {import("./forward.js").Layer} Layer */

/**
 * A place in the network: layer 0 holds the inputs; `input` is set for a weight.
 * @typedef {{layer: number, neuron: number, input: number | null}} Place
 */

const TOP = 3.4; // rem above the first node
const STEP = 3.9; // rem between nodes
const BETWEEN = 4.6; // rem between layers at least

/** The drawing of a network in an element. */
export class Net {
  /**
   * @param {HTMLElement} element
   * @param {(place: Place) => void} choose
   * @param {(layer: number, more: number) => void} resize adds neurons to a hidden layer
   */
  constructor(element, choose, resize) {
    this.element = element;
    this.choose = choose;
    this.resize = resize;
    /** @type {HTMLCanvasElement[][]} */
    this.planes = [];
    /** @type {SVGPathElement[][][]} by layer, neuron and input */
    this.lines = [];
    /** @type {HTMLElement[][]} */
    this.nodes = [];
  }

  /**
   * Draw a network anew.
   * @param {number[]} sizes
   * @param {string[]} inputs the names of the inputs
   */
  build(sizes, inputs) {
    const most = Math.max(...sizes);
    const height = TOP + STEP * most;
    const { style } = this.element;
    style.height = `${height}rem`;
    const inner = html("div", {
      class: "net-inner",
    });
    inner.style.cssText = `position:relative;height:100%;min-width:${BETWEEN * sizes.length}rem`;
    const across = (/** @type {number} */ k) => (100 * (k + 0.5)) / sizes.length;
    const down = (/** @type {number} */ k, /** @type {number} */ j) =>
      TOP + STEP * (j + 0.5 + (most - sizes[k]) / 2) - 0.4;
    const drawing = svg("svg", {
      viewBox: `0 0 100 ${height}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    });
    this.lines = sizes.slice(1).map((nout, k) =>
      Array.from({ length: nout }, (_, j) =>
        Array.from({ length: sizes[k] }, (_unused, i) => {
          const [x, y] = [across(k), down(k, i)];
          const [u, v] = [across(k + 1), down(k + 1, j)];
          const d = `M${x} ${y}C${(x + u) / 2} ${y} ${(x + u) / 2} ${v} ${u} ${v}`;
          const hit = svg("path", { d, class: "hit" });
          hit.addEventListener("click", () => this.choose({ layer: k + 1, neuron: j, input: i }));
          const line = /** @type {SVGPathElement} */ (svg("path", { d }));
          drawing.append(line, hit);
          return line;
        }),
      ),
    );
    inner.append(drawing);
    this.planes = [];
    this.nodes = sizes.map((size, k) =>
      Array.from({ length: size }, (_, j) => {
        const name = nameOf(k, j, sizes, inputs);
        const canvas = /** @type {HTMLCanvasElement} */ (html("canvas", { "aria-hidden": "true" }));
        (this.planes[k] ??= []).push(canvas);
        const node = html("button", { type: "button", class: "node", "aria-label": name }, canvas);
        node.style.left = `${across(k)}%`;
        node.style.top = `${down(k, j)}rem`;
        node.addEventListener("click", () => this.choose({ layer: k, neuron: j, input: null }));
        const label = html("span", { class: "node-name", "aria-hidden": "true" }, name);
        label.style.left = `${across(k)}%`;
        label.style.top = `${down(k, j) + 1.35}rem`;
        inner.append(node, label);
        return node;
      }),
    );
    sizes.slice(1, -1).forEach((_, k) => inner.append(this.#tools(k + 1, across(k + 1))));
    const focused = this.element.contains(document.activeElement)
      ? document.activeElement?.getAttribute("aria-label")
      : null;
    this.element.replaceChildren(inner);
    if (focused) this.#focus(focused);
  }

  /** Focus what has this label in the new drawing, or else the first input. @param {string} label */
  #focus(label) {
    const buttons = [...this.element.querySelectorAll("button")];
    const same = buttons.find((button) => button.getAttribute("aria-label") === label);
    (same ?? this.nodes[0][0]).focus();
  }

  /** The buttons above a hidden layer. @param {number} layer @param {number} across */
  #tools(layer, across) {
    const button = (/** @type {number} */ more, /** @type {string} */ sign) => {
      const label = `one neuron ${more > 0 ? "more" : "less"} in layer ${layer}`;
      const made = html("button", { type: "button", "aria-label": label }, sign);
      made.addEventListener("click", () => this.resize(layer, more));
      return made;
    };
    const tools = html("div", { class: "layer-tools" }, button(-1, "−"), button(1, "+"));
    tools.style.left = `${across}%`;
    return tools;
  }

  /** Paint the plane of each neuron. @param {Float64Array[][]} surveyed by layer and neuron, over the grid */
  paint(surveyed) {
    this.planes.forEach((canvases, k) =>
      canvases.forEach((canvas, j) => paintAroundZero(canvas, SMALL, thinned(surveyed[k][j]))),
    );
  }

  /** Show weights, or their gradients, as the colour and the width of the lines. @param {Layer[]} layers */
  showLines(layers) {
    layers.forEach(({ nin, numbers }, k) => {
      const largest = boundOf(numbers);
      this.lines[k].forEach((lines, j) =>
        lines.forEach((line, i) => {
          const x = numbers[j * (nin + 1) + i];
          setAttribute(line, "stroke-width", (0.4 + (4.6 * Math.abs(x)) / largest).toFixed(1));
          line.classList.toggle("minus", x < 0);
        }),
      );
    });
  }

  /** Mark a place. @param {Place | null} place */
  mark(place) {
    this.nodes.forEach((column, k) =>
      column.forEach((node, j) =>
        node.classList.toggle("chosen", place?.layer === k && place.neuron === j),
      ),
    );
    this.lines.forEach((neurons, k) =>
      neurons.forEach((lines, j) =>
        lines.forEach((line, i) =>
          line.classList.toggle(
            "chosen",
            place?.layer === k + 1 && place.neuron === j && place.input === i,
          ),
        ),
      ),
    );
  }
}

/** The numbers of a small plane: every second one of every second row of a large one. @param {Float64Array} numbers */
export function thinned(numbers) {
  if (numbers.length === SMALL * SMALL) return numbers;
  return Float64Array.from(
    { length: SMALL * SMALL },
    (_, i) => numbers[2 * GRID * Math.floor(i / SMALL) + 2 * (i % SMALL)],
  );
}

/**
 * The name of a node, as the lessons write it.
 * @param {number} layer
 * @param {number} neuron
 * @param {number[]} sizes
 * @param {string[]} inputs
 */
export function nameOf(layer, neuron, sizes, inputs) {
  if (layer === 0) return inputs[neuron];
  return layer === sizes.length - 1 ? `output ${neuron}` : `a${layer}[${neuron}]`;
}
