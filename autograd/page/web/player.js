// The page of a graph. The functions under "showing" display the state; each function that changes
// the state calls them afterwards.

import { byId, html, inputById, pageData, setText } from "./elements.js";
import { Drawing, fit, PAPER } from "./drawing.js";
import {
  choicesOf,
  evaluated,
  graphOf,
  indicesOf,
  isComputable,
  isConstant,
  rootOf,
  shownNodes,
} from "./graph.js";
import { descended, showCosts } from "./descent.js";
import { watchEdges } from "./edge.js";
import { fullName, isInside, opened, viewOf } from "./fold.js";
import { exchanged, laidOut } from "./layout.js";
import { parsed } from "./number.js";
import { showNoPanel, showPanel } from "./panel.js";
import { Playback } from "./playback.js";
import { Round, anyOf, questions } from "./round.js";
import { knownAt, knownOf, placeAt, planOf, positionAfter, wordsAt } from "./steps.js";
import { watchTheme } from "./theme.js";

const NARROW = 700; // pixels: in a narrower window the graph is drawn from top to bottom

const data = pageData();
const graph = graphOf(data.nodes);
const plan = planOf(graph);
const groups = data.groups;
const root = graph.rows[rootOf(graph)];
const firstView = viewOf(graph, groups, new Set(data.open));

const state = {
  /** @type {string | null} the chosen node */
  selected: null,
  /** @type {string | null} the node whose card is shown: under the pointer, in focus, or chosen */
  shown: null,
  choices: choicesOf(graph),
  open: new Set(/** @type {number[]} */ (data.open)),
  quizzing: false,
  /** @type {Set<number>} the nodes whose gradient is shown before the pass has told it */
  revealed: new Set(),
  round: new Round(),
  /** @type {import("./quiz.js").Verdict | null} the verdict on the last answer */
  verdict: null,
  costs: [graph.values[rootOf(graph)]],
  told: "", // what the card's node was known to be when the card was filled
};

const owner = {
  graph,
  plan,
  editable: isComputable(graph),
  indices: indicesOf(graph),
  isHidden,
  knownOf: knownNow,
  edit,
  reveal: revealGradient,
  answer,
  verdict: () => state.verdict,
  lr: () => parsed(inputById("lr").value),
  setMoves,
};

const drawing = new Drawing(graph, groups, choose, look);
const playback = new Playback(
  {
    last: plan.last,
    unit: "step",
    label: String,
    find: (label) => (/^\d+$/.test(label) ? Number(label) : null),
    show: follow,
  },
  data.position === undefined ? 0 : positionAfter(plan, data.position),
);

// ------------------------------------------------------------------ showing

/** @param {number} i */
function isHidden(i) {
  return (
    state.quizzing && !state.revealed.has(i) && i !== rootOf(graph) && !isConstant(graph.rows[i])
  );
}

/** What the passes have told of a node, or the reader was shown. @param {number} node */
function knownNow(node) {
  const { position } = playback;
  return knownOf(graph, plan, state.revealed.has(node) ? plan.last : position, node);
}

function show() {
  const { position } = playback;
  const { selected } = state;
  const place = placeAt(plan, position);
  const { hasValue, gradients } = knownAt(graph, plan, position);
  for (const node of state.revealed) gradients[node] = knownNow(node).gradient;
  drawing.show({ hasValue, gradients, place, selected, isHidden });
  const words = wordsAt(
    graph,
    plan,
    position,
    [place.node, place.arg].some((i) => i >= 0 && isHidden(i)),
  );
  for (const [part, text] of Object.entries(words)) setText(byId(part), text);
  setText(byId("sum-caption"), words.sum && "adds up to");
  byId("slider").setAttribute("aria-valuetext", words.title);
}

/** Fill the card again if the step has told more, or less, of its node. */
function followCard() {
  if (state.shown === null) return;
  const told = JSON.stringify(knownNow(Number(state.shown.slice(1))));
  if (told !== state.told) showCard();
}

/** Fill the card again, and keep the focus if it was in one of its fields. */
function showCard() {
  const panel = byId("panel");
  const field = panel.contains(document.activeElement) ? document.activeElement?.id : undefined;
  if (state.shown === null) showNoPanel();
  else {
    const node = Number(state.shown.slice(1));
    state.told = JSON.stringify(knownNow(node));
    showPanel(owner, node);
  }
  if (field === undefined) return;
  const again = document.getElementById(field);
  if (again) again.focus();
  else comeBack();
}

function draw() {
  make(window.innerWidth < NARROW ? "TB" : "LR");
  drawing.scale();
  showFolds();
}

/** @param {import("./layout.js").Direction} way */
function make(way) {
  drawing.make(viewOf(graph, groups, state.open), layoutFor(way));
  show();
}

/**
 * The stored layout if the view has the form of the first view; otherwise a new one.
 * @param {import("./layout.js").Direction} way
 * @returns {import("./layout.js").Layout}
 */
function layoutFor(way) {
  const view = viewOf(graph, groups, state.open);
  const stored = data.layouts[way] && exchanged(data.layouts[way], firstView, view, sizeOf);
  return stored ?? laidOut(view, sizeOf, way);
}

/** @param {string} id */
function sizeOf(id) {
  return drawing.sizeOf(id);
}

/** Draw the graph for paper, in the direction that allows the larger scale. */
function drawOnPaper() {
  const [across, down] = [layoutFor("LR"), layoutFor("TB")].map((layout) => fit(layout, ...PAPER));
  make(across >= down ? "LR" : "TB");
  drawing.scaleToPaper();
}

function showFolds() {
  const closers = [...state.open].map((i) => {
    const name = fullName(groups, i);
    const button = html("button", { type: "button", class: "chip" }, `${name} ⊖`);
    button.setAttribute("aria-label", `fold ${name}`);
    button.addEventListener("click", () => fold(i));
    return button;
  });
  const hint =
    groups.length === 0
      ? []
      : ["Open: ", ...(closers.length ? closers : ["nothing; click a box with ⊕ to open it"])];
  byId("folds").replaceChildren(...hint);
}

// ------------------------------------------------------------------ moving

/** Show a new position of the player, and scroll to it. */
function follow() {
  show();
  followCard();
  reveal();
}

function reveal() {
  const { node, arg } = placeAt(plan, playback.position);
  const box = drawing.view.item[arg >= 0 ? arg : node];
  if (box) drawing.reveal(box);
}

// ------------------------------------------------------------------ changing

/** @param {string} box */
function choose(box) {
  const i = Number(box.slice(1));
  if (box.startsWith("g")) {
    open(i);
    return;
  }
  const again = state.selected === box;
  state.verdict = null;
  select(box);
  if (again) byId("panel").querySelector("input")?.focus();
}

/** Choose a node, and show its card. @param {string} box */
function select(box) {
  state.selected = state.shown = box;
  show();
  showCard();
  drawing.reveal(box);
}

/**
 * Show the card of the box under the pointer or in focus; if null, that of the chosen node again.
 * While the focus is in the card, the card does not change.
 * @param {string | null} box
 */
function look(box) {
  const node = box?.startsWith("n") ? box : state.selected;
  if (node === null || node === state.shown) return;
  if (byId("panel").contains(document.activeElement)) return;
  state.shown = node;
  showCard();
}

/** Move the focus from the card to the chosen node. */
function comeBack() {
  if (state.selected !== null) drawing.focus(state.selected);
}

/** @param {number} group */
function open(group) {
  state.open = opened(graph, groups, state.open, group);
  draw();
  const inside = graph.rows.findIndex(
    (row, i) => drawing.view.item[i] && isInside(groups, row.group ?? -1, group),
  );
  const box = drawing.view.item[inside];
  drawing.reveal(box);
  drawing.focus(box);
}

/** @param {number} group */
function fold(group) {
  state.open = new Set([...state.open].filter((i) => !isInside(groups, i, group)));
  draw();
  drawing.focus(`g${group}`);
}

/** @param {Map<number, number>} changes */
function edit(changes) {
  graph.values = evaluated(graph, changes);
  state.costs = [graph.values[rootOf(graph)]];
  changed();
}

function changed() {
  byId("stale").hidden = true;
  askAnew();
  showChoices();
  show();
  showCard();
  showCosts(graph, state.costs);
}

/** Draw the graph again if a look-up has chosen another entry, and plan its steps. */
function showChoices() {
  const choices = choicesOf(graph);
  if (choices === state.choices) return;
  state.choices = choices;
  const shown = shownNodes(graph);
  if (!shown[Number(state.selected?.slice(1))]) state.selected = null;
  if (!shown[Number(state.shown?.slice(1))]) state.shown = state.selected;
  Object.assign(plan, planOf(graph));
  playback.setLast(plan.last);
  draw();
  playback.show();
}

/** Judge an answer of the quiz. @param {number} node @param {import("./quiz.js").Verdict} verdict */
function answer(node, verdict) {
  state.round.count(node, verdict.right);
  state.verdict = verdict;
  if (verdict.right) goOn(node);
  showScore();
}

/** Show a gradient before the pass has told it. @param {number} node */
function revealGradient(node) {
  if (!state.quizzing) {
    state.revealed.add(node);
    show();
    showCard();
    return;
  }
  state.round.count(node, false);
  state.verdict = null;
  goOn(node);
  showScore();
}

/** Show a gradient, and go on to the next question. @param {number} node */
function goOn(node) {
  state.revealed.add(node);
  const next = nextQuestion();
  if (next === undefined) {
    show();
    showCard();
  } else select(`n${next}`);
}

/** The nodes whose gradient is still asked for and whose box is visible. */
function openQuestions() {
  return questions(graph, plan).filter((i) => isHidden(i) && drawing.view.item[i] === `n${i}`);
}

function nextQuestion() {
  const left = openQuestions();
  return inputById("order").value === "random" ? anyOf(left) : left[0];
}

/** @param {number} node @param {boolean} moves */
function setMoves(node, moves) {
  graph.rows[node].moves = moves;
  showCard();
  showCosts(graph, state.costs);
}

/** @param {number} count */
function descend(count) {
  const lr = owner.lr();
  const said = byId("descent-said");
  if (!(lr > 0 && lr < Infinity)) {
    setText(said, "lr is a number above 0, like 0.1.");
    return;
  }
  if (!graph.rows.some((row) => row.moves)) {
    setText(said, "No leaf is a parameter: choose a leaf and tick “a parameter”.");
    return;
  }
  try {
    const { values, costs } = descended(graph, plan, lr, count);
    graph.values = values;
    state.costs.push(...costs);
    changed();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    setText(said, error.message);
  }
}

function startAgain() {
  graph.values = graphOf(data.nodes).values;
  state.costs = [graph.values[rootOf(graph)]];
  changed();
  byId("stale").hidden = !data.stale;
}

function toggleQuiz() {
  state.quizzing = !state.quizzing;
  byId("quiz").setAttribute("aria-pressed", String(state.quizzing));
  byId("round").hidden = !state.quizzing;
  if (state.quizzing && playback.position <= plan.forward.length)
    playback.go(positionAfter(plan, 0));
  askAnew();
  const next = state.quizzing && state.selected === null ? nextQuestion() : undefined;
  if (next !== undefined) select(`n${next}`);
  show();
  showCard();
}

/** Hide all gradients again, and begin a new round of the quiz. */
function askAnew() {
  state.revealed.clear();
  state.verdict = null;
  state.round = new Round();
  showScore();
}

function showScore() {
  setText(byId("score"), state.quizzing ? state.round.score(openQuestions().length) : "");
}

// ------------------------------------------------------------------ listening

function listen() {
  /** @type {Record<string, () => void>} */
  const clicks = {
    smaller: () => zoom(drawing.zoom / 1.25),
    fit: () => drawing.fitAll(),
    larger: () => zoom(drawing.zoom * 1.25),
    quiz: toggleQuiz,
    descend: () => descend(1),
    "descend-ten": () => descend(10),
    reset: startAgain,
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  byId("lr").addEventListener("input", showCard);
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") comeBack();
  });
  window.addEventListener("beforeprint", drawOnPaper);
  window.addEventListener("afterprint", draw);
  let narrow = window.innerWidth < NARROW;
  let width = byId("drawing").clientWidth;
  // The frame in a notebook gets its width only after the page is loaded
  new ResizeObserver(() => {
    if (width === byId("drawing").clientWidth) return;
    width = byId("drawing").clientWidth;
    requestAnimationFrame(() => {
      drawing.scale();
      reveal();
    });
  }).observe(byId("drawing"));
  window.addEventListener("resize", () => {
    if (narrow === window.innerWidth < NARROW) drawing.scale();
    else draw();
    reveal();
    narrow = window.innerWidth < NARROW;
  });
}

/** @param {number} zoomed */
function zoom(zoomed) {
  drawing.zoom = Math.min(8, Math.max(0.2, zoomed));
  drawing.scale();
}

function start() {
  inputById("lr").value = String(data.lr);
  setText(byId("cost-name"), root.atom);
  if (data.stale) {
    setText(
      byId("stale"),
      "Stale: a number was changed after the graph was evaluated. Change a leaf here, and all numbers are computed again.",
    );
    byId("stale").hidden = false;
  }
  if (!owner.editable) {
    for (const id of ["descend", "descend-ten", "reset"]) inputById(id).disabled = true;
    setText(
      byId("descent-said"),
      "Only Python can compute an operation of this graph, so its numbers cannot be changed here.",
    );
  } else {
    showCosts(graph, state.costs);
  }
  watchTheme();
  watchEdges();
  listen();
  draw();
  playback.show();
  if (data.chosen === undefined) {
    drawing.reveal(drawing.view.item[rootOf(graph)]);
    showCard();
  } else select(`n${data.chosen}`);
}

start();
