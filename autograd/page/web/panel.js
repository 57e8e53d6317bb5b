// The card of a node: its value, gradient and paths, and a nudge; in the quiz, a question instead.

import { calculated } from "./arithmetic.js";
import { byId, entry, html, setText } from "./elements.js";
import { evaluated, gradientsAfter, isConstant, isLeaf, rootOf, slopeName } from "./graph.js";
import { notANumber, number, parsed } from "./number.js";
import { pathList } from "./paths.js";
import { judge } from "./quiz.js";

/** @typedef {import("./graph.js").Graph} Graph */

/**
 * The parts of the player that the card uses.
 * @typedef {object} Owner
 * @property {Graph} graph
 * @property {import("./steps.js").Plan} plan
 * @property {boolean} editable
 * @property {Map<number, number>} indices the nodes on which an index depends, as in graph.js
 * @property {(node: number) => boolean} isHidden true if the quiz still asks for the gradient
 * @property {(changes: Map<number, number>) => void} edit sets data; throws RangeError if it cannot
 * @property {(node: number) => import("./steps.js").Known} knownOf what the passes have told of it
 * @property {(node: number) => void} reveal called when the reader asks for the gradient
 * @property {(node: number, verdict: import("./quiz.js").Verdict) => void} answer called when the
 *   reader answers
 * @property {() => import("./quiz.js").Verdict | null} verdict that on the answer before
 * @property {() => number} lr the learning rate, or NaN while its field holds no number
 * @property {(node: number, moves: boolean) => void} setMoves sets whether descent changes a leaf
 */

/**
 * Fill the card.
 * @param {Owner} owner
 * @param {number} node
 */
export function showPanel(owner, node) {
  const { graph } = owner;
  const row = graph.rows[node];
  const hidden = owner.isHidden(node);
  const known = owner.knownOf(node);
  const title = row.label && row.expression ? `${row.name} = ${row.expression}` : row.name;
  byId("panel").replaceChildren(
    html("h2", {}, title),
    html(
      "dl",
      {},
      ...entry("value", valueOf(owner, node)),
      ...gradientEntry(owner, node, hidden),
      ...(row.moves && known.complete ? nudgeEntry(owner, node, hidden) : []),
    ),
    ...(isLeaf(row) && !owner.indices.has(node) ? [movesBox(owner, node)] : []),
    ...indexNote(owner, node),
    html("p", { id: "edit-said", class: "warning", role: "alert" }),
    ...(hidden ? question(owner, node) : derivation(owner, node)),
    ...(owner.verdict() && !hidden ? [verdictLine(owner)] : []),
  );
}

/** Fill the card with instructions, before a node is chosen. */
export function showNoPanel() {
  byId("panel").replaceChildren(
    html("h2", {}, "Choose a node"),
    html(
      "p",
      {},
      "Point at a node, or go to it with Tab. This card then shows its value, its gradient, every path from it to the output, and the effect of a nudge. Click the node, or press Enter, to keep the card open. If the node is a leaf, you can change its number here.",
    ),
  );
}

/**
 * The paths and the nudge, or when the pass will tell them.
 * @param {Owner} owner
 * @param {number} node
 */
function derivation(owner, node) {
  const { complete, step } = owner.knownOf(node);
  if (complete) return [...pathList(owner.graph, node), ...nudger(owner, node)];
  return [
    html("p", { class: "what" }, `The backward pass completes this gradient in step ${step}.`),
    html("p", {}, giver(owner, node, "Show it now")),
  ];
}

/** @param {Owner} owner @param {number} node @param {string} text */
function giver(owner, node, text) {
  const give = html("button", { type: "button", id: "give" }, text);
  give.addEventListener("click", () => owner.reveal(node));
  return give;
}

/** @param {Owner} owner @param {number} node */
function valueOf(owner, node) {
  const { graph, editable } = owner;
  if (!owner.knownOf(node).value) return "not computed yet";
  if (!isLeaf(graph.rows[node]) || !editable) return number(graph.values[node]);
  const field = /** @type {HTMLInputElement} */ (
    html("input", {
      type: "text",
      inputmode: "decimal",
      size: "9",
      id: "value",
      autocomplete: "off",
    })
  );
  field.setAttribute("aria-label", `value of ${graph.rows[node].name}`);
  field.value = number(graph.values[node], 6);
  const change = () => {
    const said = edited(owner, node, field.value);
    if (said === "") return;
    setText(byId("edit-said"), said);
    field.value = number(graph.values[node], 6);
  };
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // otherwise a change event would follow
    change();
  });
  // after the key that leaves the field is handled
  field.addEventListener("change", () => setTimeout(change));
  return field;
}

/**
 * Set the number of a leaf, and return an error message or "".
 * @param {Owner} owner
 * @param {number} node
 * @param {string} text
 */
function edited(owner, node, text) {
  const value = parsed(text);
  if (!Number.isFinite(value)) return notANumber(text);
  try {
    owner.edit(new Map([[node, value]]));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `${error.message} The old value stays.`;
  }
  return "";
}

/** @param {Owner} owner @param {number} node @param {boolean} hidden */
function gradientEntry({ graph, knownOf }, node, hidden) {
  if (isConstant(graph.rows[node])) return entry("gradient", "none: constants have no gradient");
  const { gradient, complete } = knownOf(node);
  const soFar = gradient === undefined ? "not known yet" : `${number(gradient, 6)} so far`;
  const told = complete ? number(gradient ?? 0, 6) : soFar;
  return entry(`gradient ${slopeName(graph, node)}`, hidden ? "?" : told);
}

/**
 * The change of a parameter in one step downhill.
 * @param {Owner} owner
 * @param {number} node
 * @param {boolean} hidden
 */
function nudgeEntry({ graph, plan, lr }, node, hidden) {
  const nudge = -lr() * (gradientsAfter(graph, plan.backward)[node] ?? 0);
  return entry(`nudge −lr · ${slopeName(graph, node)}`, hidden ? "?" : number(nudge, 6));
}

/** @param {Owner} owner @param {number} node */
function movesBox(owner, node) {
  const box = /** @type {HTMLInputElement} */ (html("input", { type: "checkbox", id: "moves" }));
  box.checked = owner.graph.rows[node].moves ?? false;
  box.addEventListener("change", () => owner.setMoves(node, box.checked));
  return html("p", {}, html("label", {}, box, " a parameter: steps downhill change it"));
}

/** What a look-up demands of its index. @param {Owner} owner @param {number} node */
function indexNote({ indices }, node) {
  const count = indices.get(node) ?? Infinity;
  if (count === Infinity) return [];
  const range = count === 1 ? "it can only be 0" : `a whole number from 0 to ${count - 1}`;
  return [html("p", { class: "what" }, `An index: ${range}. No step downhill moves it.`)];
}

/** @param {Owner} owner @param {number} node */
function nudger(owner, node) {
  const { graph, editable, indices } = owner;
  if (isConstant(graph.rows[node]) || indices.has(node)) return [];
  if (!editable || !Number.isFinite(graph.values[node])) return [];
  const span = Math.max(0.1, Math.abs(graph.values[node]) / 2);
  const range = /** @type {HTMLInputElement} */ (
    html("input", {
      type: "range",
      id: "nudge",
      min: String(-span),
      max: String(span),
      step: String(span / 100),
    })
  );
  range.setAttribute("aria-label", `nudge of ${graph.rows[node].name}`);
  range.value = String(span / 10);
  const bars = ["predicted", "actual"].map((what) => html("span", { class: `bar ${what}` }));
  const predicted = html("dd", {});
  const actual = html("dd", {});
  const show = () => nudged(owner, node, Number(range.value), { range, predicted, actual, bars });
  range.addEventListener("input", show);
  show();
  return [
    html("h3", {}, `Nudge ${graph.rows[node].name}`),
    range,
    html(
      "dl",
      { class: "nudge" },
      html("dt", {}, "predicted"),
      predicted,
      html("dt", {}, "actual"),
      actual,
    ),
    html("div", { class: "bars", "aria-hidden": "true" }, ...bars),
  ];
}

/**
 * @param {Owner} owner
 * @param {number} node
 * @param {number} amount
 * @param {{range: HTMLInputElement, predicted: HTMLElement, actual: HTMLElement, bars:
 *   HTMLElement[]}} parts
 */
function nudged({ graph, plan }, node, amount, { range, predicted, actual, bars }) {
  const root = rootOf(graph);
  const gradient = gradientsAfter(graph, plan.backward)[node] ?? 0;
  const change = `Δ${graph.rows[root].atom}`;
  setText(
    predicted,
    `${change} = ${number(gradient)} × ${number(amount)} = ${number(gradient * amount)}`,
  );
  range.setAttribute("aria-valuetext", `${number(amount)}`);
  let moved = NaN;
  try {
    moved =
      evaluated(graph, new Map([[node, graph.values[node] + amount]]))[root] - graph.values[root];
    setText(actual, `${change} = ${number(moved)}, off by ${number(moved - gradient * amount, 2)}`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    setText(actual, error.message);
  }
  const largest = Math.max(Math.abs(gradient * amount), Math.abs(moved) || 0, 1e-300);
  [gradient * amount, moved].forEach((x, k) => {
    const share = Number.isFinite(x) ? Math.abs(x) / largest : 0;
    bars[k].style.width = `${50 * share}%`;
    bars[k].style.marginLeft = x < 0 ? `${50 - 50 * share}%` : "50%";
  });
}

/** The verdict on the last answer. @param {Owner} owner */
function verdictLine(owner) {
  const verdict = owner.verdict();
  const said = html("p", { id: "quiz-said", role: "status", "aria-live": "polite" });
  if (verdict) tell(said, verdict);
  return said;
}

/** @param {HTMLElement} said @param {import("./quiz.js").Verdict} verdict */
function tell(said, { right, text }) {
  setText(said, text);
  said.className = right ? "right" : "wrong";
}

/** @param {Owner} owner @param {number} node */
function question(owner, node) {
  const { graph } = owner;
  const field = /** @type {HTMLInputElement} */ (
    html("input", {
      type: "text",
      size: "9",
      id: "guess",
      autocomplete: "off",
    })
  );
  field.setAttribute("aria-label", `your answer for ${slopeName(graph, node)}`);
  const said = verdictLine(owner);
  const check = () => {
    const guess = calculated(field.value);
    if (!Number.isFinite(guess)) {
      setText(said, `${notANumber(field.value)} Products and fractions do, too.`);
      return;
    }
    const verdict = judge(graph, node, guess);
    tell(said, verdict);
    owner.answer(node, verdict);
  };
  const button = html("button", { type: "submit", id: "check" }, "Check");
  const form = html(
    "form",
    { class: "row" },
    html("label", {}, `${slopeName(graph, node)} = `, field),
    button,
    giver(owner, node, "Show it"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });
  return [
    html(
      "p",
      {},
      "Multiply the local derivatives along each path to the output. Add up the products.",
    ),
    form,
    said,
  ];
}
