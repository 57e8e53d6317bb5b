// The list of outputs, and the answer of the network.

import { answered, named, percent } from "./answers.js";
import { byId, html, setText } from "./elements.js";
import { figure } from "./neuron.js";
import { number } from "./number.js";

/** @typedef {import("./answers.js").Answers} Answers */

const MOST = 12; // most outputs in the list; of more, the largest are shown

/** Show the outputs and the answer. @param {Answers} answers @param {number[]} outputs */
export function showOutputs(answers, outputs) {
  const { said, shares } = answered(answers, outputs);
  setText(byId("answer"), answerText(answers, said, shares, outputs));
  const isOne = outputs.length === 1;
  const order = outputs.map((_, j) => j);
  const shown =
    order.length > MOST ? order.toSorted((a, b) => outputs[b] - outputs[a]).slice(0, MOST) : order;
  byId("outputs").replaceChildren(
    ...shown.map((j) => {
      const name = isOne && answers.kind === "sides" ? "output" : answers.names[j];
      const share = isOne && shares.length > 0 ? shares[1] : shares[j];
      const item = html(
        "li",
        {},
        html("span", { class: "term" }, name),
        ...(share === undefined ? [] : [bar(share)]),
        figure(outputs[j]),
      );
      item.classList.toggle("best", (said ?? []).includes(j) && !isOne);
      return item;
    }),
  );
}

/**
 * @param {Answers} answers
 * @param {number[] | null} said
 * @param {number[]} shares
 * @param {number[]} outputs
 */
function answerText(answers, said, shares, outputs) {
  if (said !== null) {
    const sure = said.length === 1 && answers.kind !== "labels" ? shares[said[0]] : undefined;
    return `It says ${named(answers, said)}${sure === undefined ? "" : `, ${percent(sure)} sure`}`;
  }
  return outputs.some(Number.isNaN)
    ? "No answer: an output is not a number"
    : `It says ${outputs.map((x) => number(x)).join(", ")}`;
}

/** @param {number} share */
function bar(share) {
  const filled = html("span", { class: "filled" });
  filled.style.width = `${Math.round(1000 * Math.min(1, Math.max(0, share))) / 10}%`;
  return html("span", { class: "bar-of", title: percent(share) }, filled);
}
