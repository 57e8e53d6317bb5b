// Ready-made exercises: a sentence and a setting, as links.

import { html } from "./elements.js";
import { linkOf } from "./link.js";
import { checked } from "./settings.js";

/** @type {[string, string, Record<string, unknown>][]} */
const EXERCISES = [
  [
    "One neuron cannot do XOR",
    "Press play: its border stays one line. What is the best it can do?",
    { data: "xor", noise: 0, layers: [], seed: 1 },
  ],
  [
    "Two hidden neurons can, nearly",
    "Each draws a line; the output combines them. Try other seeds, then four neurons.",
    { data: "xor", noise: 0, layers: [2], lr: 0.3, seed: 3 },
  ],
  [
    "The learning rate is too high",
    "The cost jumps. Lower the rate by a factor of ten, step by step.",
    { data: "circles", layers: [4], lr: 10, seed: 0 },
  ],
  [
    "Dead relus",
    "A large first step pushes neurons to where they are 0 for every point. Ask what is wrong.",
    { data: "moons", activation: "relu", layers: [6, 6], lr: 5, seed: 2 },
  ],
  [
    "Vanishing gradients",
    "Six sigmoid layers: the first ones hardly move. Show the gradients on the lines; then take tanh or relu.",
    { data: "circles", activation: "sigmoid", layers: [4, 4, 4, 4, 4, 4], lr: 0.5 },
  ],
  [
    "Overfitting",
    "Few noisy points, many weights: the test cost turns up. Try L2, more points, or stop earlier.",
    {
      data: "moons",
      points: 40,
      noise: 0.7,
      layers: [16, 16],
      optimizer: "adam",
      lr: 0.02,
      test: 0.5,
    },
  ],
  [
    "Equal weights never part",
    "All weights start at 0.5, so all neurons of a layer get the same gradient. Choose other first weights.",
    { data: "moons", init: "equal", layers: [4], lr: 0.3 },
  ],
  [
    "Features instead of layers",
    "No hidden layer, but the squares as inputs: a circle is a line in x₁² and x₂².",
    { data: "circles", inputs: ["x1^2", "x2^2"], layers: [] },
  ],
];

/** The exercises as items of a list of links. */
export function exercises() {
  return EXERCISES.map(([title, task, settings]) =>
    html(
      "li",
      {},
      html("a", { href: linkOf(checked(settings)), "data-task": `${title}. ${task}` }, title),
      ` — ${task}`,
    ),
  );
}

/** The task of the exercise that a link opens, or "". @param {string} hash */
export function taskOf(hash) {
  const found = EXERCISES.find(([, , settings]) => linkOf(checked(settings)) === hash);
  return found ? `${found[0]}. ${found[1]}` : "";
}
