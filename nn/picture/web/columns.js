// Draw the network as columns of circles, brighter for a larger activation, joined by lines whose
// width and colour show the weights or their gradients.

import { byId, setAttribute, setText, svg } from "./elements.js";
import { weight } from "./forward.js";
import { number } from "./number.js";
import { boundOf, spanOf } from "./raster.js";

/** @typedef {import("./forward.js").Layer} Layer */
/** @typedef {import("./forward.js").Pass} Pass */

/**
 * A description of the network.
 * @typedef {object} Plan
 * @property {number[]} sizes the number of inputs, then of neurons in each layer
 * @property {string} inputs the title of the inputs
 * @property {string[]} activations the names of the activations
 * @property {([number, number] | null)[]} bounds the range of each column's activations, if fixed
 * @property {string[]} names the names of the outputs
 * @property {number} from the first input that is shown
 */

const GAP = 185;
const ROW = 30;
const RADIUS = 13.5;
export const MOST_CIRCLES = 16; // most circles in a column
const TOP = 24;
const FOOT = 38; // space for the text "⋮ 12 more"
const LETTER = 8; // width of a letter
const LONGEST = 16; // most letters of a name
const THICKEST = 4.5;
const WIDEST = 1.3; // how far the drawing of a small network is enlarged at most
const DARKEST = 30; // grey level (0 to 255) of a neuron that is not active
const READABLE = 118; // from this grey level on, dark text is easier to read than white text

export class Columns {
  /**
   * @param {Plan} plan
   * @param {(k: number, j: number) => void} choose called with column and position of the neuron
   *   under the pointer or in focus
   */
  constructor(plan, choose) {
    this.plan = plan;
    this.choose = choose;
    this.shown = plan.sizes.map((size, k) => windowOf(size, k === 0 ? plan.from : 0));
    this.rows = Math.max(...this.shown.map((places) => places.length));
    /**
     * @type {{element: SVGElement, circle: SVGElement, text: SVGElement, k: number, j: number}[]}
     */
    this.circles = [];
    /** @type {{element: SVGElement, k: number, j: number, i: number}[]} */
    this.lines = [];
    const longest = Math.max(...plan.names.map((name) => shortened(name).length));
    this.left = LETTER * Math.max(0, ...named.map((name) => shortened(name).length));
    const width = this.left + GAP * (plan.sizes.length - 0.6) + LETTER * longest;
    const isWhole = plan.sizes.every((size) => size <= MOST_CIRCLES);
    this.svg = svg(
      "svg",
      {
        viewBox: `0 0 ${width} ${TOP + this.rows * ROW + (isWhole ? 0 : FOOT)}`,
        role: "group",
        "aria-label": "the network: a column of circles for the inputs and for each layer",
      },
      svg("g", {}, ...this.makeLines()),
      ...plan.sizes.map((_, k) => svg("g", {}, ...this.makeColumn(k))),
    );
    this.svg.style.minWidth = `min(30rem, ${width}px)`;
    this.svg.style.maxWidth = `min(62rem, ${WIDEST * width}px)`;
    byId("columns").replaceChildren(this.svg);
  }

  /** @param {number} k @param {number} j */
  placeOf(k, j) {
    const places = this.shown[k];
    const first = (this.rows - places.length) / 2;
    return [this.left + GAP * (0.25 + k), TOP + (first + j - places[0] + 0.5) * ROW];
  }

  makeLines() {
    for (const [k, inputs] of this.shown.slice(0, -1).entries()) {
      for (const j of this.shown[k + 1]) {
        for (const i of inputs) {
          const [x1, y1] = this.placeOf(k, i);
          const [x2, y2] = this.placeOf(k + 1, j);
          this.lines.push({ element: svg("line", { x1, y1, x2, y2 }), k, j, i });
        }
      }
    }
    return this.lines.map(({ element }) => element);
  }

  /** @param {number} k */
  makeColumn(k) {
    const { sizes, activations, names } = this.plan;
    const places = this.shown[k];
    const [x] = this.placeOf(k, places[0]);
    const [, bottom] = this.placeOf(k, places[places.length - 1]);
    const left = sizes[k] - places.length;
    const title = k === 0 ? this.plan.inputs : activations[k - 1];
    const last = k === sizes.length - 1;
    const more =
      left > 0
        ? [svg("text", { x, y: bottom + 30, class: "what" }, `⋮ ${left.toLocaleString("en")} more`)]
        : [];
    /** @param {number} j @param {number} beside @param {string} anchor @param {string} name */
    const write = (j, beside, anchor, name) => {
      const y = this.placeOf(k, j)[1] + 5;
      return svg("text", { x: x + beside, y, class: `answer ${anchor}` }, shortened(name));
    };
    const given = k === 0 ? places.filter((j) => named[j] !== undefined) : [];
    const written = last
      ? places.map((j) => write(j, 24, "", names[j]))
      : given.map((j) => write(j, -24, "before", named[j]));
    return [
      svg("text", { x, y: 14, class: "column" }, title),
      ...places.map((j) => this.makeCircle(k, j)),
      ...more,
      ...written,
    ];
  }

  /** @param {number} k @param {number} j */
  makeCircle(k, j) {
    const [x, y] = this.placeOf(k, j);
    const circle = svg("circle", { r: RADIUS });
    const text = svg("text", { y: 3.5 });
    const element = svg(
      "g",
      { transform: `translate(${x} ${y})`, class: "neuron", "data-neuron": `${k},${j}` },
      circle,
      text,
    );
    if (k > 0) {
      setAttribute(element, "tabindex", "0");
      setAttribute(element, "role", "button");
      for (const event of ["pointerenter", "focus", "click"]) {
        element.addEventListener(event, () => this.choose(k, j));
      }
    }
    this.circles.push({ element, circle, text, k, j });
    return element;
  }

  /**
   * Update the circles and the lines.
   * @param {Pass} pass
   * @param {Layer[]} layers weights or gradients
   * @param {[number, number] | null} chosen the neuron whose lines are highlighted
   */
  show(pass, layers, chosen) {
    const bounds = pass.activations.map(
      (activations, k) => this.plan.bounds[k] ?? spanWithZero(activations),
    );
    for (const { element, circle, text, k, j } of this.circles) {
      const a = pass.activations[k][j];
      const level = levelOf(a, bounds[k]);
      setAttribute(circle, "fill", `rgb(${level} ${level} ${level})`);
      setAttribute(text, "class", level < READABLE ? "on-dark" : "on-bright");
      setText(text, short(a));
      const name = nameOf(k, j);
      setAttribute(element, k > 0 ? "aria-label" : "data-name", `${name} = ${number(a)}`);
      element.classList.toggle("chosen", chosen !== null && chosen[0] === k && chosen[1] === j);
    }
    const largest = layers.map((layer) => boundOf(layer.numbers));
    for (const { element, k, j, i } of this.lines) {
      const x = weight(layers[k], j, i);
      const share = Number.isFinite(x) ? Math.abs(x) / largest[k] : 0;
      const sign = x > 0 ? "plus" : x < 0 ? "minus" : "none";
      const near =
        chosen === null ||
        (chosen[0] === k + 1 && chosen[1] === j) ||
        (chosen[0] === k && chosen[1] === i);
      setAttribute(element, "class", `weight ${sign}${near ? "" : " far"}`);
      setAttribute(element, "stroke-width", (0.2 + THICKEST * share ** 1.5).toFixed(2));
      setAttribute(element, "stroke-opacity", (0.2 + 0.75 * share).toFixed(2));
    }
  }
}

/** @type {string[]} names of the inputs, given by the user */
let named = [];

/** Use these names for the inputs. @param {string[]} names */
export function nameInputs(names) {
  named = names;
}

/** The name of a neuron or input; as in Python, if the user gave none. @param {number} k @param {number} j */
export function nameOf(k, j) {
  return k === 0 ? (named[j] ?? `x[${j}]`) : `a${k}[${j}]`;
}

/** @param {number} size @param {number} from */
function windowOf(size, from) {
  const count = Math.min(size, MOST_CIRCLES);
  const first = Math.min(from, size - count);
  return Array.from({ length: count }, (_, i) => first + i);
}

/** @param {number[]} activations @returns {[number, number]} */
function spanWithZero(activations) {
  const { low, high } = spanOf(activations);
  return [Math.min(0, low), Math.max(1e-12, high)];
}

/** @param {number} a @param {[number, number]} bounds */
function levelOf(a, [low, high]) {
  if (!Number.isFinite(a)) return READABLE;
  return Math.round(DARKEST + (255 - DARKEST) * Math.min(1, Math.max(0, (a - low) / (high - low))));
}

/** Write a number so that it fits into a circle. @param {number} x */
function short(x) {
  if (!Number.isFinite(x)) return number(x);
  if (Math.abs(x) < 0.005) return "0";
  if (Math.abs(x) < 1) return x.toFixed(2);
  return Math.abs(x) < 1000 ? number(x, 3) : x.toExponential(0).replace("e+", "e");
}

/** @param {string} name */
function shortened(name) {
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
}
