// "Train on": the network of the page learns on from the weights shown, on the examples of the page.

import { percent } from "./answers.js";
import { byId, inputById, setAttribute, setText } from "./elements.js";
import { layersOf } from "./forward.js";
import { notANumber, number, parsed } from "./number.js";
import { Optimiser } from "./optimiser.js";
import { Series } from "./series.js";
import { Training } from "./training.js";

/** @typedef {import("./training.js").Columns} Columns */
/** @typedef {import("./training.js").Rules} Rules */

const LEAST = 8; // milliseconds of a frame for steps
const RARELY = 5; // times as long as it took, until the network is judged again
const NO_EXAMPLES = { inputs: [], wanted: [], right: [], count: 0 };

/**
 * The network of the page.
 * @typedef {object} Page
 * @property {number[]} sizes
 * @property {import("./answers.js").Answers} answers
 * @property {Cost} cost
 * @property {Columns} examples
 * @property {() => ArrayLike<number>} begin called before the first step; returns the weights shown
 * @property {() => void} show called after steps, and to show the recorded run again
 */

/** The controls of training, and its state. */
export class TrainOn {
  /** @type {Training | null} null while the page shows what Python stored */
  training = null;
  series = new Series(); // begins with the cost of the weights that it began from
  #frame = 0; // the request for the next one; 0 if it does not run
  #drawing = 0; // milliseconds that the last drawing took
  #due = 0; // when the network is judged again
  /** @type {{cost: number, share: number | null}} */
  #last = { cost: NaN, share: null };

  /** @param {Page} page @param {Omit<Rules, "penalty" | "strength">} rules those at first */
  constructor(page, rules) {
    this.page = page;
    /** @type {Rules} */
    this.rules = {
      penalty: "none",
      strength: 0,
      ...rules,
    };
    inputById("train-optimizer").value = rules.optimizer;
    setText(byId("train-momentum"), `with momentum ${rules.momentum}`);
    inputById("train-lr").value = String(rules.lr);
    inputById("train-batch").value = String(rules.batch_size);
    this.#listen();
    this.say();
  }

  /** What the page shows in place of a stored frame; null while it shows one. */
  get frame() {
    if (this.training === null) return null;
    const { layers, weights } = this.training;
    return { epoch: null, weights: layers, parameters: weights.subarray(0, 0), isFinite: true };
  }

  /** The cost now, and the share of right answers, each with its name. @returns {[string, string][]} */
  get scores() {
    if (this.training === null) return [];
    const { cost, share } = this.#judged(this.training);
    return [
      ["loss here", number(cost)],
      ...(share === null
        ? []
        : [/** @type {[string, string]} */ (["accuracy here", percent(share)])]),
    ];
  }

  /** How good the network is now; while it trains, not in each frame if that takes long. @param {Training} training */
  #judged(training) {
    const now = performance.now();
    if (!this.isRunning || now >= this.#due) {
      this.#last = training.judged(training.train);
      this.#due = now + RARELY * (performance.now() - now);
    }
    return this.#last;
  }

  get isRunning() {
    return this.#frame !== 0;
  }

  #listen() {
    /** @type {Record<string, () => void>} */
    const clicks = {
      "train-play": () => (this.isRunning ? this.pause() : this.play()),
      "train-step": () => this.once((training) => training.step()),
      "train-epoch": () => this.once((training) => training.epoch()),
      "train-back": () => {
        this.leave();
        this.page.show();
      },
    };
    for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
    document.addEventListener("keydown", (event) => this.#onKey(event), true); // before the player
    for (const id of ["train-lr", "train-batch", "train-optimizer"]) {
      byId(id).addEventListener("change", () => this.change(inputById(id)));
    }
  }

  /** Space is for the player; while the network trains on here, for that. @param {KeyboardEvent} event */
  #onKey(event) {
    if (this.training === null || event.key !== " " || event.target !== document.body) return;
    event.preventDefault();
    event.stopPropagation();
    byId("train-play").click();
  }

  // ---------------------------------------------------------------- settings

  /** Take a setting from its control, or say why not. @param {HTMLInputElement} field */
  change(field) {
    const refusal = this.#taken(field);
    setAttribute(field, "aria-invalid", String(refusal !== ""));
    this.say(refusal);
  }

  /** @param {HTMLInputElement} field @returns {string} why the setting is refused; "" if it is not */
  #taken({ id, value }) {
    const { count } = this.page.examples;
    const x = parsed(value);
    if (id === "train-optimizer") {
      this.rules.optimizer = value;
      const { training } = this;
      if (training) training.optimiser = new Optimiser(this.rules, training.weights.length);
      return "";
    }
    if (!Number.isFinite(x)) return notANumber(value);
    if (id === "train-lr") {
      if (x <= 0) return `A learning rate is above 0; ${value} is not.`;
      this.rules.lr = x;
      if (this.training) this.training.lr = x;
      return "";
    }
    if (!Number.isInteger(x) || x < 1 || x > count) {
      return `A step takes a whole number of examples, from 1 to ${count}; not ${value}.`;
    }
    this.rules.batch_size = x;
    return "";
  }

  // ---------------------------------------------------------------- learning

  /** The training, which begins from the weights shown. */
  #begun() {
    if (this.training !== null) return this.training;
    const { sizes, answers, cost, examples } = this.page;
    const weights = Float64Array.from(this.page.begin());
    const layers = layersOf(sizes, weights, ACTIVATIONS);
    const split = { train: examples, test: NO_EXAMPLES };
    const training = new Training(this.rules, { weights, layers, cost, answers }, split);
    this.series = new Series();
    this.#due = 0;
    this.series.add(this.#judged(training).cost, NaN);
    training.heard = (mean, test) => this.series.add(mean, test);
    this.training = training;
    return training;
  }

  /** Make steps, and say why if one is impossible. @param {(training: Training) => void} steps */
  #learn(steps) {
    try {
      steps(this.#begun());
      this.say();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#stop();
      this.say(`It stopped: ${error.message}`);
    }
  }

  /** @param {(training: Training) => void} steps */
  once(steps) {
    this.#stop();
    this.#learn(steps);
    this.page.show();
  }

  /** One frame: the network learns for as long as the drawing takes, but at most to an epoch's end. */
  #tick() {
    this.#frame = requestAnimationFrame(() => this.#tick());
    const began = performance.now();
    const budget = Math.max(LEAST, this.#drawing);
    this.#learn((training) => {
      const { epochs } = training;
      do training.step();
      while (training.epochs === epochs && performance.now() - began < budget);
    });
    const drawn = performance.now();
    this.page.show();
    this.#drawing = performance.now() - drawn;
  }

  play() {
    this.#begun();
    this.#frame = requestAnimationFrame(() => this.#tick());
    this.#showPlaying();
  }

  pause() {
    this.#stop();
    this.page.show();
  }

  #stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#showPlaying();
  }

  /** Show the recorded run again. */
  leave() {
    this.#stop();
    this.training = null;
    this.say();
  }

  // ---------------------------------------------------------------- showing

  #showPlaying() {
    setText(byId("train-play"), this.isRunning ? "Pause" : "Train on");
    for (const region of document.querySelectorAll("[role=status], [aria-live]")) {
      setAttribute(region, "aria-live", this.isRunning ? "off" : "polite");
    }
  }

  /** Say how far it is, or why a setting or a step is refused. @param {string} refusal */
  say(refusal = "") {
    inputById("train-back").disabled = this.training === null;
    setText(byId("train-warning"), refusal);
    const { count } = this.page.examples;
    const on = `on the ${count} examples of this page`;
    if (this.training === null) {
      setText(byId("train-said"), `It learns on from the weights shown, ${on}.`);
      return;
    }
    const { steps, epochs } = this.training;
    setText(
      byId("train-said"),
      `${counted(steps, "step")}, ${counted(epochs, "epoch")} ${on}; the loss was ${number(this.series.train[0])} before.`,
    );
  }
}

/** @param {number} n @param {string} what */
function counted(n, what) {
  return `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
}
