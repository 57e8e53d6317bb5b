// "Quiz me": which way will a weight move, and by how much?

import { calculated } from "./arithmetic.js";
import { html } from "./elements.js";
import { weight } from "./forward.js";
import { nameOf } from "./net.js";
import { notANumber, number } from "./number.js";

/** @typedef {import("./learner.js").Learner} Learner */

const CLOSE = 0.02; // the relative error of an answer that is right

/**
 * A question: the next step of gradient descent on one point moves a weight by −lr · ∂C/∂w.
 * @typedef {{text: string, move: number, lr: number, slope: number, local: number, input: number}} Question
 */

/**
 * Ask about a weight that moves.
 * @param {Learner} learner
 * @param {string[]} inputs
 * @param {number} example
 * @param {() => number} random a number from 0 to 1
 * @returns {Question | null} null if no weight moves at this point
 */
export function question(learner, inputs, example, random) {
  const { passes, gradients } = learner.look(learner.train, example);
  const moving = gradients.flatMap(({ nin, nout, numbers }, k) =>
    Array.from({ length: nout * nin }, (_, n) => ({
      k,
      j: Math.floor(n / nin),
      i: n % nin,
    })).filter(({ j, i }) => Math.abs(numbers[j * (nin + 1) + i]) > 1e-6),
  );
  if (moving.length === 0) return null;
  const { k, j, i } = moving[Math.floor(random() * moving.length)];
  const slope = weight(gradients[k], j, i);
  const { lr } = learner;
  const input = passes.activations[k][i][0];
  const local = learner.layers[k].activation.back(passes.sums[k][j][0])[1];
  const name = `W${k + 1}[${j},${i}]`;
  const text =
    `A step of gradient descent on point ${example} alone, with the learning rate ${number(lr)}. ` +
    `${name} = ${number(weight(learner.layers[k], j, i))} leads from ` +
    `${nameOf(k, i, learner.shape.sizes, inputs)} = ${number(input)}; ∂C/∂z of its neuron is ` +
    `${number(slope / input)}. By how much does ${name} change?`;
  return { text, move: -lr * slope, lr, slope, local, input };
}

/** Judge an answer, and name the likely mistake. @param {Question} asked @param {number} answer */
export function judged({ move, lr, slope, local, input }, answer) {
  const is = (/** @type {number} */ x) => Math.abs(answer - x) <= CLOSE * Math.abs(x);
  const told = `it is −lr · ∂C/∂w = −${number(lr)} · ${number(slope)} = ${number(move)}`;
  if (is(move)) return { right: true, text: `Right: ${told}.` };
  const slips = [
    { x: -move, says: "The sign: a step goes against the gradient." },
    { x: slope, says: "This is the gradient itself: the step is −lr times it." },
    { x: -slope, says: "The learning rate is missing." },
    { x: move / input, says: "The input is missing: ∂C/∂w = ∂C/∂z · input." },
    {
      x: move / local,
      says: "∂a/∂z, the slope of the activation, is in ∂C/∂z already: do not divide by it.",
    },
    {
      x: move * local,
      says: "∂a/∂z, the slope of the activation, is in ∂C/∂z already: it counts once.",
    },
  ];
  const slip = slips.find(({ x }) => is(x));
  const way = Math.sign(answer) === Math.sign(move) ? "The way is right, the size is not." : "";
  return { right: false, text: `Not right: ${told}. ${slip?.says ?? way}`.trim() };
}

/**
 * Make the quiz in an element.
 * @param {HTMLElement} element
 * @param {() => Question | null} ask
 */
export function makeQuiz(element, ask) {
  /** @type {Question | null} */
  let asked = null;
  const score = { right: 0, of: 0 };
  const text = html("p", { id: "quiz-text" }, "Which way will a weight move, and by how much?");
  const field = /** @type {HTMLInputElement} */ (
    html("input", {
      type: "text",
      id: "quiz-answer",
      "aria-label": "the change of the weight",
      disabled: "",
    })
  );
  const check = /** @type {HTMLButtonElement} */ (
    html("button", { type: "button", disabled: "" }, "Check")
  );
  const next = html("button", { type: "button", id: "quiz-next" }, "Ask me");
  const said = html("p", { role: "status", id: "quiz-said" });
  const open = (/** @type {boolean} */ isOpen) => {
    field.disabled = check.disabled = !isOpen;
  };
  next.addEventListener("click", () => {
    asked = ask();
    text.textContent =
      asked?.text ?? "No weight moves at this point: choose another point, or reset.";
    said.textContent = "";
    field.value = "";
    open(asked !== null);
    if (asked) field.focus();
    next.textContent = "Another";
  });
  const judge = () => {
    if (asked === null || field.disabled) return;
    const answer = calculated(field.value);
    if (Number.isNaN(answer)) {
      said.textContent = notANumber(field.value);
      return;
    }
    const verdict = judged(asked, answer);
    score.of++;
    if (verdict.right) score.right++;
    said.className = verdict.right ? "right" : "wrong";
    said.textContent = `${verdict.text} (${score.right} of ${score.of} right)`;
    open(false);
    next.focus();
  };
  check.addEventListener("click", judge);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // else the key would press the button that gets the focus
    judge();
  });
  element.replaceChildren(text, html("div", { class: "row" }, field, check, next), said);
}
