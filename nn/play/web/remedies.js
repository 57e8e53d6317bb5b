// What keeps the network from learning, each with its remedy and the setting to change. The bounds are
// those of `nn.diagnose`.

import { backwardAll } from "./backward.js";
import { forwardAll, weightsInto } from "./forward.js";
import { Learner } from "./learner.js";
import { number } from "./number.js";

/** @typedef {import("./points.js").Split} Split */
/** @typedef {{says: string, setting: string}} Remedy a problem with its remedy, and the setting to change */

const STEPS = 20; // of a trial of the learning rate

/**
 * Find what is wrong.
 * @param {Learner} learner
 * @param {import("./series.js").Series} series
 * @param {Split} split
 * @returns {Remedy[]}
 */
export function remedies(learner, series, split) {
  const passes = forwardAll(learner.layers, learner.train.inputs);
  return [
    ...symmetric(learner),
    ...dead(learner, passes),
    ...saturated(learner, passes),
    ...vanishing(learner, passes),
    ...wrongRate(learner, split),
    ...overfitted(series),
    ...tooSimple(learner),
  ];
}

/** The hidden layers, numbered from 1. @param {Learner} learner */
function hidden(learner) {
  return learner.layers.slice(0, -1).map((layer, k) => ({ layer, k: k + 1 }));
}

/** @param {Learner} learner @returns {Remedy[]} */
function symmetric(learner) {
  return hidden(learner).flatMap(({ layer, k }) => {
    const kinds = new Set(
      Array.from({ length: layer.nout }, (_, j) => String(weightsInto(layer, j))),
    );
    if (layer.nout < 2 || kinds.size > 1) return [];
    return [
      {
        says: `All neurons of layer ${k} have equal weights, so they get equal gradients and never part. Draw the first weights at random.`,
        setting: "init",
      },
    ];
  });
}

/** @param {Learner} learner @param {import("./forward.js").Passes} passes @returns {Remedy[]} */
function dead(learner, passes) {
  return hidden(learner).flatMap(({ k }) => {
    if (learner.shape.activations[k - 1] !== "relu") return [];
    const off = passes.activations[k].flatMap((a, j) => (a.every((x) => x === 0) ? [j] : []));
    if (off.length === 0) return [];
    return [
      {
        says: `${off.length} of ${passes.activations[k].length} relus of layer ${k} are 0 for every training point: no gradient passes them, and they cannot come back. Reset with a lower learning rate, or take leaky_relu.`,
        setting: "activation",
      },
    ];
  });
}

/** @param {Learner} learner @param {import("./forward.js").Passes} passes @returns {Remedy[]} */
function saturated(learner, passes) {
  return hidden(learner).flatMap(({ k }) => {
    const bound = PLAY.limits.flat[learner.shape.activations[k - 1]];
    if (bound === undefined) return [];
    const flat = passes.sums[k - 1].flatMap((z, j) => {
      const share = z.filter((x) => Math.abs(x) > bound).length / z.length;
      return share >= PLAY.limits.saturated ? [j] : [];
    });
    if (flat.length === 0) return [];
    return [
      {
        says: `${flat.length} of ${passes.sums[k - 1].length} neurons of layer ${k} are flat (|z| > ${bound}) for nearly every point: their slope is below 1/100. Reset with a lower learning rate, or add L2.`,
        setting: "lr",
      },
    ];
  });
}

/** @param {Learner} learner @param {import("./forward.js").Passes} passes @returns {Remedy[]} */
function vanishing(learner, passes) {
  if (learner.layers.length < 3) return [];
  const { gradients } = backwardAll(learner.layers, passes, learner.train.wanted, learner.cost);
  const sizes = gradients.map(({ numbers }) => Math.hypot(...numbers) / Math.sqrt(numbers.length));
  const [first, last] = [sizes[0], sizes[sizes.length - 2]];
  if (!(last > PLAY.limits.ratio * first)) return [];
  return [
    {
      says: `The gradients vanish: those of layer 1 are ${Math.round(last / first).toLocaleString("en")} times smaller than those of the last hidden layer. Take tanh or relu, or fewer layers.`,
      setting: "activation",
    },
  ];
}

/** The cost after steps on all points with another learning rate. @param {Learner} learner @param {Split} split @param {number} lr */
function trial(learner, split, lr) {
  const settings = { ...learner.settings, lr, batch_size: split.train.X.length, dropout: 0 };
  const tried = new Learner(settings, { train: split.train, test: { X: [], y: [] } }, learner);
  try {
    for (let k = 0; k < STEPS; k++) tried.step();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return Infinity;
  }
  return tried.scores().train.cost;
}

/** @param {Learner} learner @param {Split} split @returns {Remedy[]} */
function wrongRate(learner, split) {
  const { lr } = learner.settings;
  const now = learner.scores().train.cost;
  const after = trial(learner, split, lr);
  const tried = `${STEPS} steps on all points with the rate ${lr} take the cost from ${number(now)} to ${number(after)}`;
  if (!(after <= 1.1 * now)) {
    return [
      {
        says: `The learning rate is too high: ${tried}. Lower it by a factor of ten.`,
        setting: "lr",
      },
    ];
  }
  if (now - after < PLAY.limits.hardly * now) {
    const rates = Array.from({ length: 8 }, (_, k) => lr * 10 ** (k + 2));
    const faster = rates.find((rate) => trial(learner, split, rate) < 0.9 * now);
    if (faster !== undefined) {
      return [
        { says: `The learning rate is too low: ${tried}. Try ${number(faster)}.`, setting: "lr" },
      ];
    }
  }
  return [];
}

/** @param {import("./series.js").Series} series @returns {Remedy[]} */
function overfitted({ train, test }) {
  const known = test.map((x) => x ?? NaN);
  if (known.length < PLAY.limits.late || known.some(Number.isNaN)) return [];
  const lowest = Math.min(...known);
  const best = known.indexOf(lowest);
  const last = known[known.length - 1];
  const falls = train[train.length - 1] < train[best];
  if (!falls || last - lowest <= Math.max(0.5 * lowest, 0.1 * known[0])) return [];
  return [
    {
      says: `It overfits: the test cost was lowest at ${number(lowest)} and is ${number(last)} now, while the training cost fell from ${number(train[best])} to ${number(train[train.length - 1])}. Stop earlier, take more points, or a penalty.`,
      setting: "penalty",
    },
  ];
}

/** @param {Learner} learner @returns {Remedy[]} */
function tooSimple(learner) {
  const hiddenOnes = learner.shape.activations.slice(0, -1);
  const isLinear = hiddenOnes.every((name) => name === "identity");
  const share = learner.scores().train.share;
  if (!isLinear || share === null || share > 0.9 || learner.epochs < PLAY.limits.late) return [];
  return [
    {
      says: `The border can only be straight in its inputs, and ${number(100 * share, 3)} % of the training points are right. Add a hidden layer with a curved activation, or other inputs.`,
      setting: hiddenOnes.length === 0 ? "layers" : "activation",
    },
  ];
}
