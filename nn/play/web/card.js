// The card of one neuron: its weighted sum written out, its gradient, its weights to be changed.

import { html } from "./elements.js";
import { bias, weight } from "./forward.js";
import { nameOf } from "./net.js";
import { notANumber, number, parsed } from "./number.js";

/** @typedef {import("./learner.js").Learner} Learner */
/** @typedef {import("./net.js").Place} Place */
/** @typedef {ReturnType<Learner["look"]>} Look */

const NUDGE = 0.01;
const ARROW = 0.1; // by which an arrow key changes a weight

/**
 * Fill the card.
 * @param {HTMLElement} card
 * @param {Learner} learner
 * @param {string[]} inputs the names of the inputs
 * @param {Place | null} place
 * @param {number} example of the training points
 * @param {() => void} edited called after a weight was changed
 */
export function showCard(card, learner, inputs, place, example, edited) {
  if (place === null) {
    card.replaceChildren(
      html("h2", { id: "neuron-title" }, "A number, opened"),
      html(
        "p",
        {},
        "Choose a neuron or a line: the sum that makes its output is written out here, and the gradient.",
      ),
    );
    return;
  }
  const { sizes } = learner.shape;
  const look = learner.look(learner.train, example);
  const name = nameOf(place.layer, place.neuron, sizes, inputs);
  const title = html("h2", { id: "neuron-title" }, `${name} at point ${example}`);
  if (place.layer === 0) {
    const x = look.passes.activations[0][place.neuron][0];
    card.replaceChildren(title, html("p", { class: "formula" }, `${name} = ${number(x)}`));
    return;
  }
  card.replaceChildren(
    title,
    ...sums(learner, inputs, place, look),
    weights(learner, inputs, place, look, edited),
    ...nudged(learner, place, look, example),
  );
}

/** The weighted sum, the output and the gradient. @param {Learner} learner @param {string[]} inputs @param {Place} place @param {Look} look */
function sums(learner, inputs, { layer: k, neuron: j }, { passes }) {
  const layer = learner.layers[k - 1];
  const x = passes.activations[k - 1];
  const terms = x.map((column, i) => `${number(weight(layer, j, i))}·${factor(column[0])}`);
  const name = nameOf(k, j, learner.shape.sizes, inputs);
  const activation = learner.shape.activations[k - 1];
  const z = passes.sums[k - 1][j][0];
  const a = passes.activations[k][j][0];
  return [
    html(
      "p",
      { class: "formula small" },
      `z = ${[number(bias(layer, j)), ...terms].join(" + ").replaceAll("+ -", "− ")} = ${number(z)}`,
    ),
    html(
      "p",
      { class: "formula small" },
      activation === "identity" ? `${name} = z` : `${name} = ${activation}(z) = ${number(a)}`,
    ),
  ];
}

/** A number after a dot. @param {number} x */
function factor(x) {
  return x < 0 ? `(${number(x)})` : number(x);
}

/** The table of weights. @param {Learner} learner @param {string[]} inputs @param {Place} place @param {Look} look @param {() => void} edited */
function weights(learner, inputs, place, look, edited) {
  const { layer: k, neuron: j } = place;
  const { sizes } = learner.shape;
  const layer = learner.layers[k - 1];
  const slopes = look.gradients[k - 1];
  const x = look.passes.activations[k - 1];
  const upstream = look.upstream[k - 1][j][0];
  const slope = layer.activation.back(look.passes.sums[k - 1][j][0])[1];
  const rows = [...x.keys(), layer.nin].map((i) => {
    const isBias = i === layer.nin;
    const label = isBias ? `b${k}[${j}]` : `W${k}[${j},${i}]`;
    const input = isBias ? 1 : x[i][0];
    const row = html(
      "tr",
      {},
      html("th", { scope: "row" }, label),
      html("td", {}, fieldOf(layer, j * (layer.nin + 1) + i, label, edited)),
      html("td", {}, isBias ? "" : `× ${nameOf(k - 1, i, sizes, inputs)} = ${number(input)}`),
      html("td", {}, number(weight(slopes, j, i))),
    );
    if (place.input === i) row.classList.add("chosen");
    return row;
  });
  return html(
    "div",
    {},
    html(
      "p",
      { class: "what" },
      `∂C/∂z = upstream × local = ∂C/∂a · ∂a/∂z = ${number(upstream)} × ${number(slope)} = ` +
        `${number(bias(slopes, j))}; for a weight, times its input. C is the cost of this point.`,
    ),
    html(
      "div",
      { class: "wide" },
      html(
        "table",
        { class: "sums" },
        html(
          "thead",
          {},
          html(
            "tr",
            {},
            ...["name", "weight", "input", "∂C/∂w"].map((text) =>
              html("th", { scope: "col" }, text),
            ),
          ),
        ),
        html("tbody", {}, ...rows),
      ),
    ),
  );
}

/** A field for a weight. @param {import("./forward.js").Layer} layer @param {number} at @param {string} label @param {() => void} edited */
function fieldOf({ numbers }, at, label, edited) {
  const field = /** @type {HTMLInputElement} */ (
    html("input", {
      type: "text",
      value: number(numbers[at], 6),
      "aria-label": label,
      "data-at": String(at),
    })
  );
  const set = (/** @type {number} */ x) => {
    field.setCustomValidity(Number.isFinite(x) ? "" : notANumber(field.value));
    field.reportValidity();
    if (!Number.isFinite(x)) return;
    numbers[at] = x;
    field.value = number(x, 6);
    edited();
  };
  field.addEventListener("change", () => set(parsed(field.value)));
  field.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    set(numbers[at] + way * ARROW * (event.shiftKey ? 0.1 : 1));
  });
  return field;
}

/** What a nudge of the chosen weight does. @param {Learner} learner @param {Place} place @param {Look} look @param {number} example */
function nudged(learner, { layer: k, neuron: j, input: i }, look, example) {
  if (i === null) return [];
  const { numbers, nin } = learner.layers[k - 1];
  const at = j * (nin + 1) + i;
  const slope = look.gradients[k - 1].numbers[at];
  const before = numbers[at];
  numbers[at] = before + NUDGE;
  const actual = learner.look(learner.train, example).costs[0] - look.costs[0];
  numbers[at] = before;
  return [
    html("h3", {}, `If W${k}[${j},${i}] grows by ${NUDGE}`),
    html(
      "p",
      { class: "what" },
      `predicted: ∂C/∂w × ${NUDGE} = ${number(slope * NUDGE)}; in fact C changes by ${number(actual)}.`,
    ),
  ];
}
