// The card of one neuron: its weighted sum written out, its gradient, its weights to be changed.

import { html, setText } from "./elements.js";
import { bias, weight } from "./forward.js";
import { nameOf } from "./net.js";
import { notANumber, number, parsed } from "./number.js";

/** @typedef {import("./learner.js").Learner} Learner */
/** @typedef {import("./net.js").Place} Place */
/** @typedef {ReturnType<Learner["look"]>} Look */
/** @typedef {{learner: Learner, inputs: string[], place: Place, example: number, look: Look}} Opened */

const NUDGE = 0.01;
const ARROW = 0.1; // by which an arrow key changes a weight

/** A card. Its fields stay in place while its numbers change, so that they keep the focus. */
export class Card {
  /**
   * @param {HTMLElement} element
   * @param {() => void} edited called after a weight was changed
   * @param {(input: number) => void} entered called when the field of a weight gets the focus
   */
  constructor(element, edited, entered) {
    this.edited = edited;
    this.entered = entered;
    /** The network and the neuron whose rows are there. */
    this.built = "";
    /** @type {HTMLInputElement | null} the field in which the reader types */
    this.typing = null;
    /** The weights and the bias of the neuron: a part of the network's, to be changed. */
    /** @type {Float64Array | Float32Array} */
    this.weights = new Float64Array();
    /** @type {HTMLInputElement[]} of the weights, then of the bias */
    this.fields = [];
    /** @type {HTMLElement[][]} beside each field: its input, and its gradient */
    this.cells = [];
    this.title = html("h2", { id: "neuron-title" });
    this.hint = html("p", {});
    this.sum = html("p", { class: "formula small" });
    this.output = html("p", { class: "formula small" });
    this.slope = html("p", { class: "what" });
    this.rows = html("tbody", {});
    this.nudged = html("h3", {});
    this.nudge = html("p", { class: "what" });
    const heads = ["name", "weight", "input", "∂C/∂w"].map((text) =>
      html("th", { scope: "col" }, text),
    );
    const table = html(
      "table",
      { class: "sums" },
      html("thead", {}, html("tr", {}, ...heads)),
      this.rows,
    );
    this.opened = html(
      "div",
      {},
      this.sum,
      this.output,
      this.slope,
      html("div", { class: "wide" }, table),
      this.nudged,
      this.nudge,
    );
    element.replaceChildren(this.title, this.hint, this.opened);
  }

  /**
   * Show a neuron, an input, or what can be chosen.
   * @param {Learner} learner
   * @param {string[]} inputs the names of the inputs
   * @param {Place | null} place
   * @param {number} example of the training points
   */
  show(learner, inputs, place, example) {
    this.opened.hidden = !place?.layer;
    this.hint.hidden = !this.opened.hidden;
    if (place === null) {
      setText(this.title, "A number, opened");
      setText(
        this.hint,
        "Choose a neuron or a line: the sum that makes its output is written out here, and the gradient.",
      );
      return;
    }
    const look = learner.look(learner.train, example);
    const { sizes } = learner.shape;
    const name = nameOf(place.layer, place.neuron, sizes, inputs);
    setText(this.title, `${name}${classOf(learner, place)} at point ${example}`);
    if (place.layer === 0) {
      setText(this.hint, `${name} = ${number(look.passes.activations[0][place.neuron][0])}`);
      return;
    }
    const opened = { learner, inputs, place, example, look };
    const built = JSON.stringify([place.layer, place.neuron, sizes, inputs]);
    if (built !== this.built) this.#build(opened);
    this.built = built;
    this.#fill(opened);
  }

  /** Make a row for each weight and for the bias. @param {Opened} opened */
  #build({ learner, place: { layer: k, neuron: j } }) {
    const { nin } = learner.layers[k - 1];
    this.fields = Array.from({ length: nin + 1 }, (_, i) => this.#field(labelOf(k, j, i, nin), i));
    this.cells = this.fields.map(() => [html("td", {}), html("td", {})]);
    this.rows.replaceChildren(
      ...this.fields.map((field, i) =>
        html(
          "tr",
          {},
          html("th", { scope: "row" }, labelOf(k, j, i, nin)),
          html("td", {}, field),
          ...this.cells[i],
        ),
      ),
    );
  }

  /** A field for a weight. @param {string} label @param {number} i its input */
  #field(label, i) {
    const field = /** @type {HTMLInputElement} */ (
      html("input", { type: "text", "aria-label": label })
    );
    const set = (/** @type {number} */ x) => {
      field.setCustomValidity(Number.isFinite(x) ? "" : notANumber(field.value));
      field.reportValidity();
      if (!Number.isFinite(x)) return;
      this.typing = null;
      this.weights[i] = x;
      this.edited();
    };
    field.addEventListener("focus", () => this.entered(i));
    field.addEventListener("input", () => (this.typing = field));
    field.addEventListener("blur", () => (this.typing = null));
    field.addEventListener("change", () => set(parsed(field.value)));
    field.addEventListener("keydown", (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (way === undefined) return;
      event.preventDefault();
      set(this.weights[i] + way * ARROW * (event.shiftKey ? 0.1 : 1));
    });
    return field;
  }

  /** Write the numbers. @param {Opened} opened */
  #fill({ learner, inputs, place, example, look }) {
    const { layer: k, neuron: j } = place;
    const layer = learner.layers[k - 1];
    const slopes = look.gradients[k - 1];
    const x = look.passes.activations[k - 1].map((column) => column[0]);
    const z = look.passes.sums[k - 1][j][0];
    const first = j * (layer.nin + 1);
    this.weights = layer.numbers.subarray(first, first + layer.nin + 1);
    setText(this.sum, `z = ${sumOf(layer, j, x)} = ${number(z)}`);
    setText(this.output, outputOf(learner, inputs, place, look));
    const upstream = number(look.upstream[k - 1][j][0]);
    const local = number(layer.activation.back(z)[1]);
    setText(
      this.slope,
      `∂C/∂z = upstream × local = ∂C/∂a · ∂a/∂z = ${upstream} × ${local} = ${number(bias(slopes, j))}; ` +
        `for a weight, times its input. C is the cost of this point${targetOf(learner, example)}.`,
    );
    this.fields.forEach((field, i) => {
      const from = nameOf(k - 1, i, learner.shape.sizes, inputs);
      if (field !== this.typing) field.value = number(this.weights[i], 6);
      setText(this.cells[i][0], i === layer.nin ? "" : `× ${from} = ${number(x[i])}`);
      setText(this.cells[i][1], number(weight(slopes, j, i)));
      field.closest("tr")?.classList.toggle("chosen", place.input === i);
    });
    this.#nudge(learner, place, look, example);
  }

  /** What a nudge of the chosen weight does; without one, of the bias, and so of z. @param {Learner} learner @param {Place} place @param {Look} look @param {number} example */
  #nudge(learner, { layer: k, neuron: j, input }, look, example) {
    const { nin } = learner.layers[k - 1];
    const i = input ?? nin;
    const before = this.weights[i];
    this.weights[i] = before + NUDGE;
    const actual = learner.look(learner.train, example).costs[0] - look.costs[0];
    this.weights[i] = before;
    const label = `${labelOf(k, j, i, nin)}${i === nin ? ", and z with it," : ""}`;
    setText(this.nudged, `If ${label} grows by ${NUDGE}`);
    const predicted = number(weight(look.gradients[k - 1], j, i) * NUDGE);
    setText(
      this.nudge,
      `predicted: ∂C/∂${i === nin ? "b" : "w"} × ${NUDGE} = ${predicted}; in fact C changes by ${number(actual)}.`,
    );
  }
}

/** The name of a weight, or of the bias, whose input comes last. @param {number} k @param {number} j @param {number} i @param {number} nin */
function labelOf(k, j, i, nin) {
  return i === nin ? `b${k}[${j}]` : `W${k}[${j},${i}]`;
}

/** @param {import("./forward.js").Layer} layer @param {number} j @param {number[]} x */
function sumOf(layer, j, x) {
  const terms = x.map((input, i) => `${number(weight(layer, j, i))}·${factor(input)}`);
  return [number(bias(layer, j)), ...terms].join(" + ").replaceAll("+ -", "− ");
}

/** A number after a dot. @param {number} x */
function factor(x) {
  return x < 0 ? `(${number(x)})` : number(x);
}

/** @param {Learner} learner @param {string[]} inputs @param {Place} place @param {Look} look */
function outputOf({ shape }, inputs, { layer: k, neuron: j }, { passes }) {
  const name = nameOf(k, j, shape.sizes, inputs);
  const activation = shape.activations[k - 1];
  if (activation === "identity") return `${name} = z`;
  return `${name} = ${activation}(z) = ${number(passes.activations[k][j][0])}`;
}

/** The class of an output, if each class has its own. @param {Learner} learner @param {Place} place */
function classOf({ answers, layers }, { layer, neuron }) {
  const isClass = answers.kind === "classes" && layer === layers.length;
  return isClass ? `, the class ${answers.names[neuron]},` : "";
}

/** @param {Learner} learner @param {number} example */
function targetOf({ answers, train }, example) {
  const target = Number(train.right[example]); // one right answer
  return answers.kind === "numbers"
    ? `, whose target is ${number(target)}`
    : `, whose class is ${answers.names[target]}`;
}
