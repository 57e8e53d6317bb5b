// The card of one neuron: its formula, its numbers, its weights and their gradients.

import { nameOf } from "./columns.js";
import { byId, entry, html } from "./elements.js";
import { bias, weightsInto } from "./forward.js";
import { number } from "./number.js";

/** @typedef {import("./forward.js").Layer} Layer */

const MOST = 16; // most weights in the table

/**
 * Fill the card.
 * @param {number} k its layer, from 1
 * @param {number} j
 * @param {string} activation
 * @param {import("./forward.js").Pass} pass
 * @param {Layer[]} weights
 * @param {Layer[] | null} gradients of the example's cost; null if it has none
 */
export function showNeuron(k, j, activation, pass, weights, gradients) {
  const layer = weights[k - 1];
  const slopes = gradients === null ? null : gradients[k - 1];
  const x = pass.activations[k - 1];
  const w = weightsInto(layer, j);
  const most = largest(Array.from(w, (weight, i) => weight * x[i]));
  const rows = most.map((i) =>
    row(`W${k}[${j},${i}]`, w[i], nameOf(k - 1, i), x[i], slopes && weightsInto(slopes, j)[i]),
  );
  const notes = [
    ...(most.length < w.length
      ? [`The ${MOST} of ${w.length.toLocaleString("en")} inputs with the largest |w · input|.`]
      : []),
    ...(slopes ? ["C is the cost of the example on the screen alone."] : []),
  ];
  byId("neuron").replaceChildren(
    html("h2", {}, `Neuron ${nameOf(k, j)}`),
    html(
      "p",
      { class: "formula small" },
      `z = b + Σ w·${k === 1 ? "x" : `a${k - 1}`}, a = ${activation === "identity" ? "z" : `${activation}(z)`}`,
    ),
    html(
      "dl",
      {},
      ...entry("weighted sum z", figure(pass.sums[k - 1][j])),
      ...entry("activation a", figure(pass.activations[k][j])),
      ...entry("bias b", figure(bias(layer, j))),
      ...entry("gradient ∂C/∂b", slopes ? figure(bias(slopes, j)) : "—"),
    ),
    table(rows),
    html("p", { class: "what" }, notes.join(" ")),
  );
}

export function showNoNeuron() {
  const text =
    "Point at a circle, or go to it with Tab. This card then shows what the neuron computes.";
  byId("neuron").replaceChildren(html("h2", {}, "A neuron"), html("p", { class: "what" }, text));
}

/**
 * The positions of the largest |x|, largest first; of few numbers, all positions.
 * @param {number[]} numbers
 */
function largest(numbers) {
  const places = numbers.map((_, i) => i);
  if (places.length <= MOST) return places;
  return places.toSorted((a, b) => Math.abs(numbers[b]) - Math.abs(numbers[a])).slice(0, MOST);
}

/**
 * @param {string} name
 * @param {number} w
 * @param {string} from
 * @param {number} x
 * @param {number | null} slope
 */
function row(name, w, from, x, slope) {
  return html(
    "tr",
    {},
    html("th", { scope: "row" }, name),
    html("td", {}, figure(w)),
    html("td", {}, html("span", { class: "what" }, `${from} = `), figure(x)),
    html("td", {}, figure(w * x)),
    html("td", {}, slope === null ? "—" : figure(slope)),
  );
}

/** @param {HTMLElement[]} rows */
function table(rows) {
  const heads = ["weight", "w", "input", "w · input", "gradient ∂C/∂w"].map((name) =>
    html("th", { scope: "col" }, name),
  );
  const made = html(
    "table",
    {},
    html("thead", {}, html("tr", {}, ...heads)),
    html("tbody", {}, ...rows),
  );
  return html(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": "weights; scrolls" },
    made,
  );
}

/** A short number, with all its digits in the tooltip. @param {number} x */
export function figure(x) {
  return html("data", { value: String(x), title: String(x) }, number(x));
}
