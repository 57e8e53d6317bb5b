// The settings as a Python program, which trains the network of the page and prints its costs.

import { shapeOf } from "./learner.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./points.js").Split} Split */
/** @typedef {import("./learner.js").Shape} Shape */

/** @type {Record<string, string>} */
const FEATURES = {
  x1: "x1",
  x2: "x2",
  "x1^2": "x1**2",
  "x2^2": "x2**2",
  "x1*x2": "x1 * x2",
  "sin(x1)": "np.sin(x1)",
  "sin(x2)": "np.sin(x2)",
};

/**
 * Write the program.
 * @param {Settings} settings
 * @param {Split} split the points
 * @param {number} epochs
 * @param {{shape: Shape, weights: Float64Array} | null} start a network to start from
 */
export function programOf(settings, split, epochs, start = null) {
  const { batch_size: size, seed } = settings;
  const hasTest = split.test.X.length > 0;
  return [
    "import random",
    "",
    "import numpy as np",
    "",
    "import nn",
    "",
    ...pointsOf(settings, split),
    "",
    ...modelOf(settings, start?.shape ?? shapeOf(settings, split.train.X[0].length), start),
    `optimizer = ${optimizerOf(settings)}`,
    ...trainerOf(settings),
    "history = trainer.fit(",
    `    X[:${split.train.X.length}], y[:${split.train.X.length}], epochs=${epochs}, batch_size=${size}, seed=${seed},`,
    ...(hasTest
      ? [`    validation=(X[${split.train.X.length}:], y[${split.train.X.length}:]),`]
      : []),
    ")",
    "print(history)",
    "",
  ].join("\n");
}

/** @param {Settings} settings @param {Split} split */
function pointsOf({ data, points, noise, seed, inputs, cost }, { train, test }) {
  const lines =
    data === "own"
      ? [
          `X = np.array(${JSON.stringify([...train.X, ...test.X])})`,
          `y = np.array(${JSON.stringify([...train.y, ...test.y])})`,
        ]
      : [`X, y = nn.points(${text(data)}, ${points}, noise=${noise}, seed=${seed})`];
  const { targets, count } = PLAY.data[data];
  if (train.X[0].length === 2 && String(inputs) !== "x1,x2") {
    lines.push(
      "x1, x2 = X.T",
      `X = np.column_stack([${inputs.map((name) => FEATURES[name]).join(", ")}])`,
    );
  }
  if (targets === "classes") {
    lines.push(
      cost === "mse_loss" ? `y = nn.one_hot(y.astype(int), ${count})` : "y = y.astype(int)",
    );
  }
  if (targets === "sides" && String(PLAY.sides[cost].targets) !== "0,1") {
    lines.push(`y = np.array([${PLAY.sides[cost].targets.join(", ")}])[y]`);
  }
  return lines;
}

/** @param {Settings} settings @param {Shape} shape @param {{weights: Float64Array} | null} start */
function modelOf(settings, { sizes, activations }, start) {
  const { init, seed, dropout } = settings;
  const hidden = activations.slice(0, -1);
  const last = activations[activations.length - 1];
  const given =
    init === "auto" ? "" : `init=${init === "equal" ? "lambda rng, nin, nout: 0.5" : text(init)}, `;
  const isPlain = dropout === 0 && new Set(hidden).size <= 1;
  const lines = isPlain
    ? [
        `model = nn.MLP(${sizes[0]}, [${sizes.slice(1).join(", ")}], ${text(hidden[0] ?? "relu")}, ` +
          `output=${text(last)}, ${given}seed=${seed})`,
      ]
    : [
        `rng = random.Random(${seed})`,
        "model = nn.Sequential(",
        ...activations.flatMap((activation, k) => {
          const layer = `    nn.Layer(${sizes[k]}, ${sizes[k + 1]}, ${text(activation)}, ${given}seed=rng),`;
          return dropout && k < hidden.length ? [layer, `    nn.Dropout(${dropout}),`] : [layer];
        }),
        ")",
      ];
  if (start === null) return lines;
  return [
    ...lines,
    `weights = ${JSON.stringify(Array.from(start.weights))}`,
    "for p, x in zip(model.parameters(), weights):",
    "    p.data = x",
  ];
}

/** @param {Settings} settings */
function optimizerOf({ optimizer, momentum, lr }) {
  if (optimizer === "adam") return `nn.Adam(model.parameters(), lr=${lr})`;
  const more = optimizer === "momentum" ? `, momentum=${momentum}` : "";
  return `nn.SGD(model.parameters(), lr=${lr}${more})`;
}

/** @param {Settings} settings */
function trainerOf({ cost, schedule, penalty, strength }) {
  const { kind, arguments: given } = PLAY.schedules[schedule];
  const options = Object.entries(given).map(([name, x]) => `, ${name}=${x}`);
  return [
    "trainer = nn.Trainer(",
    `    model, nn.${cost}, optimizer,`,
    ...(kind ? [`    scheduler=nn.${kind}(optimizer${options.join("")}),`] : []),
    ...(penalty === "none"
      ? []
      : [`    penalty=lambda m: nn.${penalty}_penalty(m.parameters(), ${strength}),`]),
    ")",
  ];
}

/** A text in Python. @param {string} name */
function text(name) {
  return JSON.stringify(name);
}
