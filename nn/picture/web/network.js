// The page of a network. The functions under "showing" display the state; each function that
// changes the state calls them afterwards.

import { answered, named, percent } from "./answers.js";
import { backward } from "./backward.js";
import { centred } from "./centred.js";
import { chart } from "./chart.js";
import { Columns, MOST_CIRCLES, nameInputs, nameOf } from "./columns.js";
import { byId, html, inputById, pageData, setAttribute, setText, svg } from "./elements.js";
import { forward } from "./forward.js";
import { Frame, positionOf } from "./frames.js";
import { Maps } from "./maps.js";
import { showNeuron, showNoNeuron } from "./neuron.js";
import { notANumber, number, parsed } from "./number.js";
import { showOutputs } from "./outputs.js";
import { bytes, floats } from "./packed.js";
import { Pad } from "./pad.js";
import { forgetColours, kindName } from "./palette.js";
import {
  boxAround,
  GRID,
  hasRegions,
  marker,
  paintPoints,
  paintProbe,
  paintRegion,
  pointUnder,
  SMALL,
  survey,
} from "./plane.js";
import { Playback } from "./playback.js";
import { paint } from "./raster.js";
import { watchTheme } from "./theme.js";
import { TrainOn } from "./train_on.js";
import { Heats, Templates } from "./views.js";

const NARROW = window.matchMedia("(max-width: 900px)"); // as in network.css
const CARD_EVERY = 250; // milliseconds between two cards of a neuron while the network trains
const MOST_FIELDS = 8; // with more inputs, there are no fields to type them

const data = pageData();
const { sizes, image, curves, front } = data;
const answers = { ...data.answers, shares: SHARES };
const frames = data.frames.map((/** @type {any} */ row) => new Frame(sizes, row));
/** @type {number} */
const nin = front ? product(front.image.shape) : sizes[0];
const channels = front ? front.image.shape[0] : 1;
const inputs = inputsOf(data.examples);
const right = data.examples?.right ?? null;
const wanted = data.wanted === null ? null : [...floats(data.wanted)];
const epochs = (curves.loss ?? []).length;
const isPlane = !front && nin === 2;
const box = boxAround(isPlane ? inputs : []);

const state = {
  showsGradients: false,
  /** @type {number | null} */
  example: inputs.length > 0 ? 0 : null,
  input: inputs[0] ?? Array.from({ length: nin }, () => 0),
  /** @type {[number, number] | null} */
  chosen: null,
  drawn: 0, // when the card of the neuron was drawn
};

nameInputs(data.features);
const drawing = new Columns(
  {
    sizes,
    activations: data.activations,
    inputs: front ? front.stages.at(-1).name : "inputs",
    bounds: [image && !front ? image.range : null, ...data.bounds],
    names:
      answers.kind === "sides" ? [`${answers.names[1]} if > ${answers.threshold}`] : answers.names,
    from: image && !front ? middleOf(image.shape) : 0,
  },
  choose,
);
const heats = isPlane ? new Heats(sizes, data.activations, choose) : null;
const maps = front ? new Maps(front) : null;
const templates =
  image && !front ? new Templates(sizes[1], data.activations[0], image.shape[1], choose) : null;
const playback = new Playback(
  {
    last: frames.length - 1,
    unit: "epoch",
    label: labelOf,
    find: (label) => positionOf(frames, label),
    show: () => {
      training?.leave();
      show();
    },
  },
  data.start,
);
const pad =
  image && channels === 1 && image.shape[0] > 1
    ? new Pad(canvasById("pad"), image.shape[0] / image.shape[1], readPad)
    : null;

const training = trainOn();

// ------------------------------------------------------------------ the data of the page

/** @param {number[]} sides */
function product(sides) {
  return sides.reduce((size, side) => size * side, 1);
}

/** @param {any} examples @returns {number[][]} */
function inputsOf(examples) {
  if (examples === null) return [];
  const [low, high] = image ? image.range : [0, 1];
  const all = image
    ? Array.from(bytes(examples.inputs), (level) => low + (level / 255) * (high - low))
    : [...floats(examples.inputs)];
  return Array.from({ length: examples.shown }, (_, i) => all.slice(i * nin, (i + 1) * nin));
}

/** The controls that train the network on; null if this page cannot. */
function trainOn() {
  const rules = data.training;
  if (COST === null || wanted === null || rules === null || typeof rules === "string") return null;
  const nout = sizes[sizes.length - 1];
  const column = (/** @type {(i: number) => number} */ numberOf) =>
    Float64Array.from(inputs, (_, i) => numberOf(i));
  const examples = {
    inputs: Array.from({ length: nin }, (_, k) => column((i) => inputs[i][k])),
    wanted: Array.from({ length: nout }, (_, j) => column((i) => wanted[i * nout + j])),
    right: right ?? [],
    count: inputs.length,
  };
  return new TrainOn({ sizes, answers, cost: COST, examples, begin, show }, rules);
}

/** Stop the player, and return the weights that are shown. */
function begin() {
  playback.pause();
  return frames[playback.position].numbers;
}

/**
 * The first pixel in the column of inputs. It is in the middle row, where there is ink.
 * @param {[number, number]} shape
 */
function middleOf([rows, columns]) {
  return Math.floor(rows / 2) * columns + Math.max(0, Math.floor((columns - MOST_CIRCLES) / 2));
}

/** Mark the pixels of the image that are shown in the column of inputs. */
function markRow() {
  const [rows, across] = image.shape;
  const first = drawing.shown[0][0];
  const { style } = byId("row-mark");
  style.left = `${(100 * (first % across)) / across}%`;
  style.top = `${(100 * Math.floor(first / across)) / rows}%`;
  style.width = `${(100 * Math.min(across, MOST_CIRCLES)) / across}%`;
  style.height = `${(100 * Math.ceil(MOST_CIRCLES / across)) / rows}%`;
  byId("row-said").hidden = false;
  const last = first + drawing.shown[0].length - 1;
  setText(
    byId("row-said"),
    `The frame marks the pixels ${first} to ${last}, which the drawing of the network shows as its inputs; all ${nin} go in.`,
  );
}

/** @param {number} position */
function labelOf(position) {
  return String(frames[position].epoch ?? "now");
}

function frameNow() {
  return training?.frame ?? frames[playback.position];
}

/** True if the lines show gradients; an input without a target has none. */
function areGradients() {
  return state.showsGradients && slopes !== null;
}

/** The weights or the gradients that the lines show. @returns {import("./forward.js").Layer[]} */
function linesNow() {
  return (state.showsGradients && slopes?.gradients) || frameNow().weights;
}

// ------------------------------------------------------------------ computing

/** @type {import("./forward.js").Pass} */
let pass = { activations: [], sums: [] };

/** @type {import("./backward.js").Slopes | null} null without a cost or a target */
let slopes = null;

/** The inputs of the first layer. @param {number[]} input */
function featuresOf(input) {
  return maps ? maps.features(input, frameNow().parameters) : input;
}

/** Run the network on the input: forwards, and backwards from the cost of the example. */
function run() {
  const { weights } = frameNow();
  const { example } = state;
  const nout = sizes[sizes.length - 1];
  pass = forward(weights, featuresOf(state.input));
  slopes =
    wanted === null || example === null || COST === null
      ? null
      : backward(weights, pass, wanted.slice(example * nout, (example + 1) * nout), COST);
}

// ------------------------------------------------------------------ showing

function show() {
  run();
  showEpoch();
  showCurve();
  showViews();
  showInput();
}

function showEpoch() {
  const { epoch, isFinite } = frameNow();
  const called = calledNow(epoch);
  setText(byId("epoch"), called);
  setAttribute(inputById("slider"), "aria-valuetext", called);
  byId("scores").replaceChildren(
    ...scoresOf(epoch).flatMap(([name, said]) => [
      html("span", {}, html("span", { class: "what" }, `${name} `), said),
    ]),
  );
  setText(
    byId("warning"),
    isFinite
      ? ""
      : "Some weights are not finite numbers, or are too large for this page. The numbers that depend on them are missing too.",
  );
}

/** @param {number | null} epoch */
function calledNow(epoch) {
  if (training?.training) {
    const from = labelOf(playback.position);
    return `trained on here, from ${from === "now" ? "the model as it was saved" : `epoch ${from}`}`;
  }
  if (epoch === null) return "the model as it is now";
  return epoch === 0 ? "before training" : `epoch ${epoch} of ${epochs}`;
}

/** @param {number | null} epoch @returns {[string, string][]} */
function scoresOf(epoch) {
  if (training?.training) return training.scores;
  if (epoch === null || epoch === 0) return [];
  return Object.entries(curves).flatMap(([curve, values]) => {
    const name = curve.startsWith("validation") ? curve : `training ${curve}`;
    const x = values[epoch - 1];
    return x === null || x === undefined
      ? []
      : [[name, name.endsWith("accuracy") ? percent(x) : number(x)]];
  });
}

/** Show the images of the neurons. */
function showViews() {
  if (isPlane) surveyed = survey(frameNow().weights, box, training?.isRunning ? SMALL : GRID);
  heats?.show(surveyed);
  showTemplates();
}

/** Show the images of the weights, or of their gradients, which depend on the input. */
function showTemplates() {
  templates?.show(linesNow()[0], areGradients());
}

function showCurve() {
  const live = liveLine();
  byId("losses").hidden = epochs === 0 && live === null;
  if (epochs === 0 && live === null) return;
  const recorded = ["loss", "validation loss"]
    .filter((name) => curves[name])
    .map((name) => ({
      values: [null, ...curves[name]],
      kind: name.startsWith("validation") ? "held-out" : "",
    }));
  byId("curve-key").hidden = recorded.length + Number(live !== null) < 2;
  byId("validation-key").hidden = recorded.length < 2;
  byId("live-key").hidden = live === null;
  const said = [
    ...(epochs === 0
      ? []
      : [`${fromTo(curves.loss)} in ${epochs} ${epochs === 1 ? "epoch" : "epochs"}`]),
    ...(live === null ? [] : [`${fromTo(live.values)} here`]),
  ].join(", then ");
  setText(byId("curve-said"), said);
  const cursor = live ? undefined : (frameNow().epoch ?? undefined);
  const lines = live ? [...recorded, live] : recorded;
  byId("curve").replaceChildren(chart(lines, `the loss ${said}`, cursor));
}

/** The costs since the network trains on here, which begin where it began; null before. */
function liveLine() {
  if (!training?.training) return null;
  const from = frames[playback.position].epoch ?? epochs;
  const { series } = training;
  return { values: series.train, kind: "live", from, every: series.every };
}

/** @param {(number | null)[]} values */
function fromTo(values) {
  return `from ${number(values[0] ?? NaN)} to ${number(values.at(-1) ?? NaN)}`;
}

function showInput() {
  drawing.show(pass, linesNow(), state.chosen);
  showLegend();
  showOutputs(answers, pass.activations[sizes.length - 1]);
  showCard();
  if (isPlane) showRegion();
  if (image) showImage();
  maps?.show(image.range);
  showExample();
}

/**
 * While the network trains, the card of the neuron changes slowly enough to be read, and stays for a
 * reader who is in it.
 */
function showCard() {
  const isRead =
    performance.now() - state.drawn < CARD_EVERY || byId("neuron").contains(document.activeElement);
  if (!(training?.isRunning && isRead)) drawCard();
}

/** Draw the card of the chosen neuron. */
function drawCard() {
  state.drawn = performance.now();
  if (state.chosen === null) {
    showNoNeuron();
    return;
  }
  const [k, j] = state.chosen;
  const { weights } = frameNow();
  showNeuron(k, j, data.activations[k - 1], pass, weights, slopes?.gradients ?? null);
}

function showLegend() {
  const what = areGradients() ? "gradients" : "weights";
  setText(byId("above"), what);
  for (const id of ["weights", "gradients"])
    setAttribute(byId(id), "aria-pressed", String(id === what));
  inputById("gradients").disabled = slopes === null;
  setText(byId("cost"), costText());
}

/** Which gradients the page shows: those of the example on the screen. */
function costText() {
  if (data.cost === null)
    return "No gradients: this page was saved without the cost of an example, loss=…";
  if (slopes === null || state.example === null)
    return "No gradients: an input of your own has no target, and so no cost.";
  const of = `C = ${number(slopes.cost)} is the cost of example ${state.example + 1} alone, by ${data.cost}.`;
  return `${of} The gradients are ∂C/∂w and ∂C/∂b; a step of descent goes against them.`;
}

// ------------------------------------------------------------------ inputs

/** @param {string} id */
function canvasById(id) {
  return /** @type {HTMLCanvasElement} */ (byId(id));
}

/** @type {import("./plane.js").Survey} */
let surveyed = [];

function showRegion() {
  const region = canvasById("region");
  paintRegion(region, surveyed, answers);
  paintPoints(region, box, inputs, hasRegions(answers) ? right?.flat() : null);
  paintProbe(region, box, state.input);
  const [x, y] = state.input.map((at) => number(at, 3));
  const regions = !hasRegions(answers)
    ? `the output over the plane of ${nameOf(0, 0)} and ${nameOf(0, 1)}`
    : `the regions of ${answers.names.join(", ")} in the plane of ${nameOf(0, 0)} and ${nameOf(0, 1)}`;
  setAttribute(
    region,
    "aria-label",
    `${regions}, with ${inputs.length} examples; the cross is at ${x}, ${y}`,
  );
}

function showImage() {
  const [low, high] = image.range;
  const pixels = state.input.map((x) => Math.round((255 * (x - low)) / (high - low)));
  const canvas = canvasById("image");
  const size = product(image.shape);
  const [red, green, blue] = channels === 3 ? [0, size, 2 * size] : [0, 0, 0];
  paint(canvas, image.shape[1], pixels.slice(0, size), (_, i) => [
    pixels[i + red],
    pixels[i + green],
    pixels[i + blue],
  ]);
  const what = state.example === null ? "your drawing" : `example ${state.example + 1}`;
  setAttribute(canvas, "aria-label", `${what}, ${image.shape.join(" × ")} pixels`);
}

function showExample() {
  for (const [i, field] of byId("fields").querySelectorAll("input").entries()) {
    if (field !== document.activeElement) field.value = number(state.input[i]);
  }
  const { example } = state;
  if (example === null) {
    setText(byId("example"), image ? "your drawing" : "your input");
    return;
  }
  const is = right === null ? "" : `: it is ${named(answers, right[example])}`;
  const of =
    data.examples.of > inputs.length ? ` (of ${data.examples.of.toLocaleString("en")} in all)` : "";
  setText(byId("example"), `example ${example + 1} of ${inputs.length}${of}${is}`);
}

/** @param {number[]} input @param {number | null} example */
function look(input, example) {
  state.input = input;
  state.example = example;
  run();
  showTemplates();
  showInput();
}

/** @param {number} by */
function turn(by) {
  const count = inputs.length;
  const next = ((state.example ?? (by > 0 ? -1 : 0)) + by + count) % count;
  look(inputs[next], next);
}

function findMistake() {
  const count = inputs.length;
  const from = state.example ?? -1;
  for (let step = 1; step <= count; step++) {
    const i = (from + step + count) % count;
    const { activations } = forward(frameNow().weights, featuresOf(inputs[i]));
    if (String(answered(answers, activations[activations.length - 1]).said) !== String(right[i])) {
      look(inputs[i], i);
      return;
    }
  }
  setText(byId("example"), `The network is right on all ${count} examples here.`);
}

function readPad() {
  if (pad === null) return;
  const { shape, range, filled } = image;
  const levels = centred(pad.ink(), pad.canvas.width, shape, filled);
  if (levels !== null)
    look(
      levels.map((level) => range[0] + (level / 255) * (range[1] - range[0])),
      null,
    );
}

function clearPad() {
  pad?.clear();
  if (state.example === null)
    look(
      state.input.map(() => image.range[0]),
      null,
    );
}

/** @param {HTMLInputElement} field @param {number} i */
function typed(field, i) {
  const x = parsed(field.value);
  setAttribute(field, "aria-invalid", String(!Number.isFinite(x)));
  if (Number.isFinite(x)) look(state.input.with(i, x), null);
  else setText(byId("example"), notANumber(field.value));
}

function makeFields() {
  if (nin > MOST_FIELDS || front) return;
  const fields = state.input.map((_, i) => {
    const field = html("input", {
      type: "text",
      inputmode: "decimal",
      size: "7",
      autocomplete: "off",
    });
    field.addEventListener("input", () => typed(/** @type {HTMLInputElement} */ (field), i));
    return html("label", {}, `${nameOf(0, i)} `, field);
  });
  byId("fields").append(...fields);
}

function makeKinds() {
  if (!isPlane || !hasRegions(answers)) return;
  byId("kinds").append(
    ...answers.names.map((/** @type {string} */ name, /** @type {number} */ kind) =>
      html(
        "li",
        { class: kindName(kind) },
        svg(
          "svg",
          { viewBox: "-14 -14 28 28", class: "marker", "aria-hidden": "true" },
          svg("path", { d: marker(kind, 9) }),
        ),
        html("span", { class: "term" }, name),
      ),
    ),
  );
}

// ------------------------------------------------------------------ changing

/** @param {number} k @param {number} j */
function choose(k, j) {
  if (state.chosen && state.chosen[0] === k && state.chosen[1] === j) return;
  state.chosen = [k, j];
  showInput();
  drawCard(); // at once, while the network trains too
}

/** @param {boolean} gradients */
function setShown(gradients) {
  state.showsGradients = gradients;
  showViews();
  showInput();
}

function listen() {
  /** @type {Record<string, () => void>} */
  const clicks = {
    weights: () => setShown(false),
    gradients: () => setShown(true),
    "example-before": () => turn(-1),
    "example-after": () => turn(1),
    mistake: findMistake,
    clear: clearPad,
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  byId("region").addEventListener("click", (event) =>
    look(pointUnder(canvasById("region"), box, event), null),
  );
}

/** In a narrow window, the answer stands below the input, and not below the whole network. */
function placeOutput() {
  const output = byId("output");
  if (!NARROW.matches) byId("network").append(output);
  else if (pad) byId("pad-keys").before(output);
  else byId("input").append(output);
}

function start() {
  placeOutput();
  NARROW.addEventListener("change", placeOutput);
  byId("player").hidden = frames.length === 1;
  byId("train").hidden = data.training === null;
  byId("train-controls").hidden = training === null;
  if (typeof data.training === "string") setText(byId("train-said"), data.training);
  byId("region").hidden = !isPlane;
  byId("picture").hidden = !image;
  byId("drawn").hidden = pad === null;
  byId("maps").hidden = !front;
  byId("examples").hidden = inputs.length === 0;
  byId("mistake").hidden = right === null;
  byId("views").hidden = heats === null && templates === null;
  setText(byId("sure"), data.sure);
  byId("row-mark").hidden = templates === null;
  if (templates) markRow();
  makeFields();
  makeKinds();
  watchTheme(() => {
    forgetColours();
    show();
  });
  listen();
  playback.show();
}

start();
