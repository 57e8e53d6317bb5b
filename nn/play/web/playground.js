// The playground: a network learns while the reader watches. The functions under "showing" display
// the state; each function that changes the state calls them afterwards.

import { Card } from "./card.js";
import { chart } from "./chart.js";
import { byId, entry, html, inputById, pageData, setText, svg } from "./elements.js";
import { exercises, taskOf } from "./exercises.js";
import { makeFields, showFields } from "./fields.js";
import { forwardAll, layersOf } from "./forward.js";
import { featureColumns } from "./inputs.js";
import { Learner, shapeOf } from "./learner.js";
import { linkOf, settingsOf } from "./link.js";
import { makeQuiz, question } from "./moves.js";
import { nameOf, Net, thinned } from "./net.js";
import { number } from "./number.js";
import { doubles } from "./packed.js";
import { colour, forgetColours, kindName, mixed } from "./palette.js";
import { Pen } from "./pen.js";
import {
  GRID,
  gridOver,
  hasRegions,
  marker,
  paintMarkers,
  paintProbe,
  paintRegion,
  pointUnder,
  SMALL,
} from "./plane.js";
import { divided, points, REACH } from "./points.js";
import { programOf } from "./program.js";
import { boundOf, paintAroundZero } from "./raster.js";
import { remedies } from "./remedies.js";
import { pageWith, scalarsOf } from "./scalars.js";
import { Series } from "./series.js";
import { checked } from "./settings.js";
import { watchTheme } from "./theme.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./net.js").Place} Place */
/** @typedef {{shape: import("./learner.js").Shape, weights: Float64Array}} Start */

const DATA_FIELDS = ["data", "points", "noise", "test", "batch_size"];
const LEARNING_FIELDS = [
  "activation",
  "cost",
  "optimizer",
  "momentum",
  "lr",
  "schedule",
  "penalty",
  "strength",
  "dropout",
  "init",
  "seed",
];
const BUDGET = 8; // milliseconds of a frame for steps
const CARD_EVERY = 250; // milliseconds between two cards while it learns

const data = pageData();
/** @type {Start | null} the network that Python gave */
const given = data.start && {
  shape: { sizes: data.start.sizes, activations: data.start.activations },
  weights: doubles(data.start.weights),
};

const first = { own: data.own, kind: PLAY.data.own };

const state = {
  /** @type {Settings} */
  settings: data.settings,
  /** The network to start from, while the settings of the network are those at first. */
  beginning: given,
  playing: false,
  frame: 0, // the request for the next one
  /** @type {Place | null} */
  place: null,
  example: 0,
  /** When the card was drawn, and steps that the speed owes. */
  drawn: 0,
  owed: 0,
  last: 0,
  pace: { milliseconds: 0, steps: 0 },
};

const region = /** @type {HTMLCanvasElement} */ (byId("region"));
const marks = /** @type {HTMLCanvasElement} */ (byId("points"));
const net = new Net(byId("net"), choose, resize);
const card = new Card(byId("neuron"), edited, (input) => {
  if (state.place) mark({ ...state.place, input });
});
const pen = new Pen(useOwn, pointsShown, showPoints);
let split = splitOf(state.settings);
let series = new Series();
let learner = learning(state.beginning);
let box = boxOf();

// ------------------------------------------------------------------ the network and its data

/** @param {Settings} settings */
function splitOf(settings) {
  const { data: kind, points: count, noise, seed, test } = settings;
  if (kind === "own") return divided(data.own, test, seed);
  return divided(points(kind, count, noise, seed), test);
}

/**
 * A learner with the settings.
 * @param {Start | null} start a network to start from
 */
function learning(start) {
  const made = new Learner(state.settings, split, start);
  made.heard = (cost, test) => series.add(cost, test);
  return made;
}

/** The part of the plane that is shown; points of the reader's own may lie anywhere. */
function boxOf() {
  const reach = Math.max(
    1.2 * REACH,
    ...[...split.train.X, ...split.test.X].flat().map((x) => 1.1 * Math.abs(x)),
  );
  const side = state.settings.data === "own" ? reach : 1.2 * REACH;
  return {
    low: /** @type {[number, number]} */ ([-side, -side]),
    high: /** @type {[number, number]} */ ([side, side]),
  };
}

/** True if the points lie in a plane. */
function isPlane() {
  return split.train.X[0].length === 2;
}

/** The names of the inputs. @returns {string[]} */
function inputNames() {
  const { inputs } = state.settings;
  if (learner.shape.sizes[0] === inputs.length && isPlane()) {
    return inputs.map((name) => PLAY.settings.inputs.choices[name]);
  }
  return Array.from({ length: learner.shape.sizes[0] }, (_, i) => `x[${i}]`);
}

/** The activations of the network over the grid, which is coarser while it learns, to save time. */
function surveyed() {
  const [x1, x2] = gridOver(box, state.playing ? SMALL : GRID);
  return forwardAll(learner.layers, featureColumns(state.settings.inputs, x1, x2)).activations;
}

// ------------------------------------------------------------------ changing

/**
 * Change settings, and begin again with them.
 * @param {Partial<Settings>} changes
 */
function change(changes) {
  const settings = { ...state.settings, ...changes };
  if ("data" in changes && !("cost" in changes)) settings.cost = "auto";
  try {
    const wanted = checked(settings);
    if (!keepsBeginning(changes)) state.beginning = null;
    begin(wanted, state.beginning);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    warn(error.message);
  }
}

/** True if a network to start from still fits. @param {Partial<Settings>} changes */
function keepsBeginning(changes) {
  return !["data", "inputs", "layers", "activation", "init", "seed"].some(
    (name) => name in changes,
  );
}

/**
 * Begin with these settings.
 * @param {Settings} settings
 * @param {Start | null} start a network to start from
 */
function begin(settings, start) {
  state.settings = settings;
  warn("");
  split = splitOf(settings);
  box = boxOf();
  restart(start);
  const hash = settings.data === "own" ? "#" : linkOf(settings);
  if (location.hash !== hash) history.replaceState(null, "", hash);
  showFields(settings);
}

/** Begin again from the first weights. */
function reset() {
  restart(state.beginning);
}

/** @param {Start | null} start a network to start from */
function restart(start) {
  series = new Series();
  learner = learning(start);
  state.example = Math.min(state.example, split.train.X.length - 1);
  build();
  byId("findings").replaceChildren();
}

/**
 * Learn from points of the reader's own. After one more point, the network learns on if it fits.
 * @param {import("./own.js").Own} read
 * @param {boolean} isPlaced true if the pen has placed a point
 */
function useOwn({ own, kind }, isPlaced) {
  const { settings } = state;
  const isSame = PLAY.data[settings.data].targets === kind.targets;
  if (!PLAY.data.own) byId("set-data").append(html("option", { value: "own" }, kind.title));
  data.own = own;
  PLAY.data.own = kind;
  const wanted = checked({
    ...settings,
    data: "own",
    cost: isSame ? settings.cost : "auto",
    test: settings.data === "own" ? settings.test : 0,
  });
  const fits = String(endsOf(shapeOf(wanted, 2))) === String(endsOf(learner.shape));
  if (!isPlaced || !fits) state.beginning = null;
  setText(byId("told"), "");
  begin(wanted, isPlaced && fits ? learner : null);
}

/** The numbers of inputs and of outputs. @param {import("./learner.js").Shape} shape */
function endsOf({ sizes }) {
  return [sizes[0], sizes[sizes.length - 1]];
}

/** The points that the page shows, with the names of their classes or their numbers. */
function pointsShown() {
  const y = [...split.train.y, ...split.test.y];
  const { names } = learner.answers;
  const targets = y.map((target) => names[target] ?? number(target, 4));
  return { X: [...split.train.X, ...split.test.X], targets };
}

/** A weight was changed by hand. */
function edited() {
  learner.edited();
  show();
}

/** @param {string} name @param {unknown} value */
function changeField(name, value) {
  change({ [name]: value });
}

/** @param {number} layer @param {number} more */
function resize(layer, more) {
  const layers = hidden().map((size, k) => (k + 1 === layer ? size + more : size));
  change({ layers: layers.filter((size) => size > 0) });
}

/** The neurons of each hidden layer. */
function hidden() {
  return learner.shape.sizes.slice(1, -1);
}

/** @param {Place} place */
function choose(place) {
  mark(place);
  if (place.input !== null) card.fields[place.input].focus();
}

/** @param {Place} place */
function mark(place) {
  state.place = place;
  net.mark(place);
  showNumbers();
}

/** @param {number} example */
function chooseExample(example) {
  const { length } = split.train.X;
  state.example = ((example % length) + length) % length;
  showPoints();
  showNumbers();
}

// ------------------------------------------------------------------ learning

/** Make steps, and say why if one is impossible. @param {() => void} steps */
function learn(steps) {
  try {
    steps();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    pause();
    warn(error.message);
  }
}

/** One frame of the player. @param {number} now */
function frame(now) {
  state.frame = requestAnimationFrame(frame);
  const speed = Number(inputById("speed").value);
  const passed = Math.min(now - state.last, 100);
  state.last = now;
  const [began, before] = [performance.now(), learner.steps];
  learn(() => {
    if (speed === 0) {
      const end = began + BUDGET;
      while (performance.now() < end) learner.step();
    } else {
      for (state.owed += (passed * speed) / 1000; state.owed >= 1; state.owed--) learner.step();
    }
  });
  showPace(performance.now() - began, learner.steps - before);
  showLive(now);
}

/** Show the time of a step, from time to time. @param {number} milliseconds @param {number} steps */
function showPace(milliseconds, steps) {
  state.pace.milliseconds += milliseconds;
  state.pace.steps += steps;
  if (state.pace.milliseconds < 5 || state.pace.steps === 0) return;
  const each = state.pace.milliseconds / state.pace.steps;
  setText(byId("pace"), `${number(each, 2)} ms a step`);
  state.pace = { milliseconds: 0, steps: 0 };
}

function play() {
  if (state.playing) {
    pause();
    return;
  }
  state.playing = true;
  state.last = performance.now();
  setText(byId("play"), "❚❚ Pause");
  state.frame = requestAnimationFrame(frame);
}

function pause() {
  cancelAnimationFrame(state.frame);
  state.playing = false;
  setText(byId("play"), "▶ Play");
  show();
}

// ------------------------------------------------------------------ showing

/** @param {string} text */
function warn(text) {
  setText(byId("warning"), text);
}

/** Draw the network and the points anew. */
function build() {
  const { sizes } = learner.shape;
  if (state.place && !(state.place.neuron < (sizes[state.place.layer] ?? 0))) state.place = null;
  net.build(sizes, inputNames());
  net.mark(state.place);
  showKinds();
  pen.offer(learner.answers.names);
  const { length } = hidden();
  setText(byId("layer-count"), `${length} hidden layer${length === 1 ? "" : "s"}`);
  /** @type {HTMLButtonElement} */ (byId("layer-less")).disabled = length === 0;
  /** @type {HTMLButtonElement} */ (byId("layer-more")).disabled = length === PLAY.mostLayers;
  for (const button of byId("inputs").querySelectorAll("button")) {
    const isIn = state.settings.inputs.includes(button.dataset.input ?? "");
    button.setAttribute("aria-pressed", String(isIn));
  }
  byId("plane").hidden = !isPlane();
  for (const part of document.querySelectorAll(".of-plane")) {
    /** @type {HTMLElement} */ (part).hidden = !isPlane();
  }
  /** @type {HTMLElement} */ (byId("steps").parentElement).hidden =
    !isPlane() || !hasRegions(learner.answers);
  showPoints();
  show();
}

function show() {
  showPlanes();
  showCosts();
  showNumbers();
}

/** While it learns: all but the card in each frame. @param {number} now */
function showLive(now) {
  showPlanes();
  showCosts();
  if (now - state.drawn > CARD_EVERY) {
    state.drawn = now;
    showNumbers();
  }
}

function showPlanes() {
  if (isPlane()) {
    const over = surveyed();
    const inSteps = inputById("steps").checked;
    paintRegion(region, over, inSteps ? { ...learner.answers, shares: null } : learner.answers);
    net.paint(over);
  }
  const isGradient = inputById("lines").value === "gradients";
  net.showLines(
    isGradient
      ? layersOf(
          learner.shape.sizes,
          learner.gradient,
          learner.layers.map((layer) => layer.activation),
        )
      : learner.layers,
  );
}

function showPoints() {
  marks.width = 720;
  marks.height = 720;
  const example = inputById("example");
  example.max = String(split.train.X.length - 1);
  example.value = String(state.example);
  if (!isPlane()) return;
  if (inputById("show-test").checked) paintExamples(split.test, true);
  paintExamples(split.train, false);
  paintProbe(marks, box, pen.isTaken() ? pen.place : split.train.X[state.example]);
}

/** @param {import("./points.js").Examples} examples @param {boolean} hollow */
function paintExamples({ X, y }, hollow) {
  if (hasRegions(learner.answers)) {
    paintMarkers(marks, box, X, y, (i) => colour(kindName(y[i])), hollow);
    return;
  }
  const bound = boundOf([...split.train.y, ...split.test.y]);
  const shade = (/** @type {number} */ i) =>
    mixed(
      colour("ground"),
      colour(y[i] > 0 ? "plus" : "minus"),
      0.35 + (0.65 * Math.abs(y[i])) / bound,
    );
  paintMarkers(marks, box, X, [], shade, hollow);
}

/** @param {{cost: number, share: number | null}} scores */
function said({ cost, share }) {
  if (Number.isNaN(cost)) return "—";
  return `${number(cost)}${share === null ? "" : ` · ${(100 * share).toFixed(1)} % right`}`;
}

function showCosts() {
  setText(byId("counts"), `epoch ${learner.epochs}, step ${learner.steps}`);
  const { train, test } = learner.scores();
  byId("losses").replaceChildren(...entry("training", said(train)), ...entry("test", said(test)));
  byId("curve").replaceChildren(
    chart(
      [
        { values: series.test, kind: "held-out" },
        { values: series.train, kind: "" },
      ],
      `the cost by epoch, ${number(train.cost)} now on the training points`,
    ),
  );
}

function showNumbers() {
  card.show(learner, inputNames(), state.place, state.example);
}

/** The marker and the name of each class; for numbers, what the colours say. */
function showKinds() {
  const { kind, names } = learner.answers;
  byId("kinds").replaceChildren(
    ...(kind === "numbers"
      ? [
          html("span", { class: "key plus" }),
          " above zero ",
          html("span", { class: "key minus" }),
          " below",
        ]
      : names.map((name, k) => html("span", { class: "kind" }, markOf(k), name))),
  );
}

/** A drawing of the marker of a class. @param {number} k */
function markOf(k) {
  const path = svg("path", { d: marker(k, 6), class: kindName(k), fill: "currentColor" });
  return svg("svg", { viewBox: "-9 -9 18 18", class: "mark", "aria-hidden": "true" }, path);
}

/** The buttons of the inputs, each with its plane. */
function showInputs() {
  const [x1, x2] = gridOver({ low: [-REACH, -REACH], high: [REACH, REACH] });
  byId("inputs").replaceChildren(
    ...Object.entries(PLAY.settings.inputs.choices).map(([name, title]) => {
      const canvas = /** @type {HTMLCanvasElement} */ (html("canvas", { "aria-hidden": "true" }));
      paintAroundZero(canvas, SMALL, thinned(featureColumns([name], x1, x2)[0]));
      const button = html(
        "button",
        { type: "button", "data-input": name, "aria-label": title },
        canvas,
        title,
      );
      button.addEventListener("click", () => {
        const { inputs } = state.settings;
        const others = inputs.filter((input) => input !== name);
        change({ inputs: others.length === inputs.length ? [...inputs, name] : others });
      });
      return button;
    }),
  );
}

/** @param {string} setting */
function light(setting) {
  document.querySelector(".changed")?.classList.remove("changed");
  const field = document.getElementById(`set-${setting}`) ?? byId("layer-more");
  field.classList.add("changed");
  return field;
}

function diagnose() {
  const found = remedies(learner, series, split);
  byId("findings").replaceChildren(
    ...(found.length === 0
      ? [html("li", {}, "Nothing found that would keep it from learning.")]
      : found.map(({ says, setting }) => {
          const link = html("button", { type: "button" }, "show the control");
          link.addEventListener("click", () => light(setting).focus());
          return html("li", {}, `${says} `, link);
        })),
  );
  if (found.length > 0) light(found[0].setting);
}

/** Show the graph of the chosen point's cost, with the chosen neuron opened; without one, the output. */
async function openScalars() {
  if (state.playing) pause();
  const { length } = learner.layers;
  const { layer, neuron } = state.place?.layer ? state.place : { layer: length, neuron: 0 };
  const rows = scalarsOf(learner, data.scalars, inputNames(), state.example, { layer, neuron });
  const name = nameOf(layer, neuron, learner.shape.sizes, inputNames());
  setText(byId("scalars-title"), `${name} at point ${state.example}, down to its scalars`);
  const graph = /** @type {HTMLIFrameElement} */ (byId("graph"));
  const page = await pageWith(data.scalars.page, rows);
  /** @type {HTMLDialogElement} */ (byId("scalars")).showModal(); // first, so that the frame has its width
  graph.srcdoc = page;
}

/** @param {string} text @param {string} what */
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    setText(byId("copied"), `${what} is in the clipboard.`);
  } catch {
    setText(
      byId("copied"),
      `This browser does not let the page copy: ${what.toLowerCase()} is below.`,
    );
    const shown = /** @type {HTMLDetailsElement} */ (byId("program-shown"));
    shown.hidden = false;
    shown.open = true;
    setText(byId("program"), text);
  }
}

function program() {
  const made = programOf(state.settings, split, Math.max(learner.epochs, 1), learner.start);
  const note = `# In epoch ${learner.editedIn} of the page, weights were changed by hand: its costs differ from there.`;
  const text = learner.editedIn === null ? made : `${note}\n${made}`;
  const shown = /** @type {HTMLDetailsElement} */ (byId("program-shown"));
  shown.hidden = false;
  setText(byId("program"), text);
  return text;
}

/** Begin as the page did, with the points that Python gave. */
function openFirst() {
  if (first.own) {
    data.own = first.own;
    PLAY.data.own = first.kind;
  }
  state.beginning = given;
  begin(data.settings, given);
  setText(byId("told"), "");
}

/** Open the settings of the address; a link that is refused changes nothing. */
function openLink() {
  const { hash } = location;
  if (hash.length < 2) {
    openFirst();
    return;
  }
  try {
    const settings = settingsOf(hash);
    state.beginning = null;
    begin(settings, null);
    setText(byId("told"), taskOf(hash));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    warn(`This link is refused: ${error.message}. The page shows its own settings.`);
  }
}

/** The training point nearest to the pointer. @param {MouseEvent} event */
function nearest(event) {
  const [x, y] = pointUnder(marks, box, event);
  const distances = split.train.X.map(([u, v]) => Math.hypot(u - x, v - y));
  return distances.indexOf(Math.min(...distances));
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey) return;
  const acts = /** @type {Record<string, () => void>} */ ({
    " ": play,
    ArrowRight: () => byId("step").click(),
    e: () => byId("epoch").click(),
    Home: reset,
  });
  const act = acts[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

// ------------------------------------------------------------------ the controls

byId("data-controls").append(...makeFields(DATA_FIELDS, changeField));
byId("settings").append(...makeFields(LEARNING_FIELDS, changeField));
byId("exercises").append(...exercises());
byId("reset").addEventListener("click", reset);
byId("play").addEventListener("click", play);
byId("step").addEventListener("click", () => {
  learn(() => learner.step());
  show();
});
byId("epoch").addEventListener("click", () => {
  learn(() => learner.epoch());
  show();
});
byId("seed-next").addEventListener("click", () => change({ seed: state.settings.seed + 1 }));
byId("layer-less").addEventListener("click", () => change({ layers: hidden().slice(0, -1) }));
byId("layer-more").addEventListener("click", () => change({ layers: [...hidden(), 4] }));
byId("lines").addEventListener("change", showPlanes);
byId("steps").addEventListener("change", showPlanes);
byId("show-test").addEventListener("change", showPoints);
byId("open-scalars").addEventListener("click", openScalars);
byId("graph").addEventListener("load", ({ target }) => {
  const graph = /** @type {HTMLIFrameElement} */ (target);
  graph.contentWindow?.postMessage(getComputedStyle(graph).color, "*");
});
byId("scalars-close").addEventListener("click", () =>
  /** @type {HTMLDialogElement} */ (byId("scalars")).close(),
);
byId("diagnose").addEventListener("click", diagnose);
byId("copy-program").addEventListener("click", () => copy(program(), "The program"));
byId("copy-link").addEventListener("click", () => {
  const address = location.href.replace(/#.*/, "");
  if (state.settings.data !== "own") copy(`${address}${linkOf(state.settings)}`, "The link");
  else setText(byId("copied"), "A link holds no points of your own: copy the table.");
});
byId("example").addEventListener("change", () => {
  chooseExample(Math.round(Number(inputById("example").value)));
});
byId("exercises").addEventListener("click", ({ target }) => {
  if (target instanceof HTMLAnchorElement && target.hash === location.hash) openLink();
});
marks.addEventListener("click", (event) => {
  if (pen.isTaken()) pen.put(pointUnder(marks, box, event));
  else chooseExample(nearest(event));
});
marks.addEventListener("keydown", (event) => {
  if (pen.isTaken()) {
    if (pen.onKey(event)) event.preventDefault();
    return;
  }
  const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (way === undefined) return;
  event.preventDefault();
  chooseExample(state.example + way);
});
makeQuiz(byId("quiz"), () => question(learner, inputNames(), state.example, Math.random));
addEventListener("keydown", onKey);
addEventListener("hashchange", openLink);
watchTheme(() => {
  forgetColours();
  showInputs();
  build();
});
showInputs();
showFields(state.settings);
build();
if (location.hash.length > 1) openLink();
