// The network that the settings of the playground describe, and its training.

import { layersOf } from "./forward.js";
import { featureColumns } from "./inputs.js";
import { Random } from "./random.js";
import { ratesOf } from "./schedule.js";
import { Training } from "./training.js";

/** @typedef {import("./points.js").Examples} Examples */
/** @typedef {import("./training.js").Columns} Columns */
/** @typedef {import("./settings.js").Settings} Settings */

/**
 * A network: the number of inputs and of neurons in each layer, and the activation of each layer.
 * @typedef {{sizes: number[], activations: string[]}} Shape
 */

/**
 * The network that the settings describe. Its inputs are the features of a point in the plane; of a
 * point elsewhere they are its numbers.
 * @param {Settings} settings
 * @param {number} axes the numbers of a point
 * @returns {Shape}
 */
export function shapeOf({ data, inputs, layers, activation }, axes) {
  const { targets, count } = PLAY.data[data];
  return {
    sizes: [axes === 2 ? inputs.length : axes, ...layers, targets === "classes" ? count : 1],
    activations: [...layers.map(() => activation), "identity"],
  };
}

/**
 * The first weights of a network, as `nn.MLP(..., init=, seed=)` draws them.
 * @param {Shape} shape
 * @param {string} init
 * @param {number} seed
 */
export function firstWeights({ sizes, activations }, init, seed) {
  const rng = new Random(seed);
  return Float64Array.from(
    activations.flatMap((activation, k) => {
      const [nin, nout] = [sizes[k], sizes[k + 1]];
      const initialiser = init === "auto" ? PLAY.inits[activation] : init;
      return Array.from({ length: nout }, () => [
        ...Array.from({ length: nin }, () => drawn(rng, initialiser, nin, nout)),
        0,
      ]).flat();
    }),
  );
}

/** @param {Random} rng @param {string} init @param {number} nin @param {number} nout */
function drawn(rng, init, nin, nout) {
  const bound = Math.sqrt(6 / (nin + nout));
  if (init === "xavier") return rng.uniform(-bound, bound);
  if (init === "he") return rng.gauss(0, Math.sqrt(2 / nin));
  return init === "equal" ? 0.5 : rng.uniform(-1, 1);
}

/** The training of the network that the settings describe. */
export class Learner extends Training {
  /**
   * @param {Settings} settings
   * @param {{train: Examples, test: Examples}} split
   * @param {{shape: Shape, weights: Float64Array} | null} start a network to start from; null for
   *   the network that the settings describe
   */
  constructor(settings, { train, test }, start = null) {
    const axes = train.X[0].length; // the numbers of a point
    const shape = start?.shape ?? shapeOf(settings, axes);
    const { sizes, activations } = shape;
    const weights = start?.weights.slice() ?? firstWeights(shape, settings.init, settings.seed);
    const rows = activations.map((name) => FORMULAS.activations[name]);
    const columns = (/** @type {Examples} */ examples) =>
      columnsOf(settings, sizes, axes, examples);
    super(
      { ...settings, dropouts: sizes.slice(1, -1).map(() => settings.dropout || null) },
      {
        weights,
        layers: layersOf(sizes, weights, rows),
        cost: FORMULAS.costs[settings.cost][sizes[sizes.length - 1]],
        answers: answersOf(settings),
      },
      { train: columns(train), test: columns(test) },
      ratesOf(settings.schedule),
    );
    this.settings = settings;
    this.shape = shape;
    this.start = start && { shape: start.shape, weights: start.weights };
    /** @type {number | null} the first epoch in which weights were changed by hand */
    this.editedIn = null;
  }

  /** Take weights that were changed by hand; before the first step they are the first ones. */
  edited() {
    if (this.steps === 0) this.start = { shape: this.shape, weights: this.weights.slice() };
    else this.editedIn ??= this.epochs + 1;
  }
}

/**
 * Arrange examples in columns.
 * @param {Settings} settings
 * @param {number[]} sizes of the network
 * @param {number} count of the numbers of a point
 * @param {Examples} examples
 * @returns {Columns}
 */
function columnsOf(settings, sizes, count, { X, y }) {
  const axes = Array.from({ length: count }, (_, i) => Float64Array.from(X, (point) => point[i]));
  const isPlane = settings.inputs.length === sizes[0] && count === 2;
  return {
    inputs: isPlane ? featureColumns(settings.inputs, axes[0], axes[1]) : axes,
    wanted: wantedOutputs(settings, sizes[sizes.length - 1], y),
    right: y,
    count: X.length,
  };
}

/** How outputs are read as answers. @param {Settings} settings @returns {import("./answers.js").Answers} */
function answersOf({ data, cost }) {
  const { targets, count } = PLAY.data[data];
  const shares = FORMULAS.shares[cost]?.[targets === "classes" ? count : 1] ?? null;
  if (targets === "numbers") return { kind: "numbers", names: [], threshold: 0, shares };
  const names = PLAY.data[data].names ?? Array.from({ length: count }, (_, k) => String(k));
  const kind = targets === "sides" ? "sides" : "classes";
  return { kind, names, threshold: PLAY.sides[cost]?.threshold ?? 0, shares };
}

/** The targets of each output. @param {Settings} settings @param {number} nout @param {number[]} y */
function wantedOutputs({ data, cost }, nout, y) {
  if (PLAY.data[data].targets === "classes") {
    return Array.from({ length: nout }, (_, k) => Float64Array.from(y, (t) => Number(t === k)));
  }
  if (PLAY.data[data].targets === "numbers") return [Float64Array.from(y)];
  return [Float64Array.from(y, (t) => PLAY.sides[cost].targets[t])];
}
