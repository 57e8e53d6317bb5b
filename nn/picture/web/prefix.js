// The page of a model that reads tokens: what it expects after a prefix, and where each head looks.
// Programs that were traced from the model compute both.

import { percent } from "./answers.js";
import { byId, html, inputById, pageData, setAttribute, setText } from "./elements.js";
import { doubles } from "./packed.js";
import { Program } from "./program.js";
import { watchTheme } from "./theme.js";

const NUMBERED = 8; // most tokens for which each cell of a map has its number

const data = pageData();
/** @type {{tokens: string[], start: number | null, longest: number, heads: number}} */
const { tokens, start, longest, heads } = data;
/** @type {boolean} one program shows all shorter sequences too */
const everyPlace = data.everyPlace;
const areCharacters = tokens.every((token) => [...token].length === 1);
const parameters = doubles(data.parameters);
const room = longest - (start === null ? 0 : 1); // tokens that may be typed

/** @type {(Program | undefined)[]} programs by position, made on first use */
const programs = [];

/** The tokens that were typed. @type {number[]} */
let typed = [];

/** The probabilities of the next token. @type {number[]} */
let expected = [];

// ------------------------------------------------------------------ computing

/** @param {number} position */
function programAt(position) {
  programs[position] ??= new Program(data.programs[position]);
  return programs[position];
}

/** The tokens that the model reads. */
function sequence() {
  return start === null ? typed : [start, ...typed];
}

/**
 * The probabilities of the next token, and the shares of each head, row by row.
 * @param {number[]} read
 */
function compute(read) {
  const length = everyPlace ? longest : read.length;
  const padded = [...read, ...Array.from({ length: length - read.length }, () => 0)];
  const temperature = Number(inputById("temperature").value);
  const program = programAt(everyPlace ? 0 : read.length - 1);
  const found = program.run([padded, [temperature]], parameters);
  const places = everyPlace ? length : 1;
  const place = everyPlace ? read.length - 1 : 0;
  const probabilities = found.slice(place * tokens.length, (place + 1) * tokens.length);
  const rowOf = (/** @type {number} */ head, /** @type {number} */ row) => {
    const first = places * tokens.length + (head * length + row) * length;
    return found.slice(first, first + read.length);
  };
  const shares = Array.from({ length: heads }, (_, head) =>
    [...read.keys()].map((row) => rowOf(head, row)),
  );
  return { probabilities, shares };
}

// ------------------------------------------------------------------ reading and writing

/** The tokens of a text, and what is wrong with it. @param {string} text */
function parsed(text) {
  const parts = areCharacters ? [...text] : text.split(/\s+/).filter(Boolean);
  const found = parts.map((part) => {
    const exact = tokens.indexOf(part);
    return exact >= 0 ? exact : tokens.indexOf(part.toLowerCase());
  });
  const unknown = found.indexOf(-1);
  if (unknown >= 0)
    return {
      found,
      wrong: `“${parts[unknown]}” is none of the ${tokens.length} tokens: ${listed()}`,
    };
  if (found.length > room) {
    const wrong = `${found.length} tokens are too many: the model reads ${room} at most.`;
    return { found, wrong };
  }
  return { found, wrong: "" };
}

function listed() {
  const shown = tokens.filter((_, token) => token !== start);
  return shown.length > 60 ? `${shown.slice(0, 60).join(" ")} …` : shown.join(" ");
}

/** @param {number[]} read */
function written(read) {
  return read.map((token) => tokens[token]).join(areCharacters ? "" : " ");
}

/** @param {number[]} next */
function write(next) {
  typed = next;
  const field = inputById("prefix");
  field.value = written(typed);
  setAttribute(field, "aria-invalid", "false");
  say("");
  show();
}

/** @param {string} text @param {"what" | "wrong"} kind */
function say(text, kind = "what") {
  setText(byId("said"), text);
  setAttribute(byId("said"), "class", kind);
}

function readField() {
  const field = inputById("prefix");
  const { found, wrong } = parsed(field.value);
  setAttribute(field, "aria-invalid", String(wrong !== ""));
  say(wrong, "wrong");
  if (wrong) return;
  typed = found;
  show();
}

/** Draw a token by the probabilities. */
function drawn() {
  let left = Math.random() * expected.reduce((sum, share) => sum + share, 0);
  for (const [token, share] of expected.entries()) {
    left -= share;
    if (left < 0) return token;
  }
  return expected.indexOf(Math.max(...expected));
}

/** Draw a token and write it; true unless the text ends there. */
function drawOne() {
  const token = drawn();
  if (token === start) {
    say(`${tokens[token]} was drawn: “${written(typed)}” ends here.`);
    return false;
  }
  write([...typed, token]);
  return typed.length < room;
}

function drawToEnd() {
  if (typed.length < room) while (drawOne());
}

// ------------------------------------------------------------------ showing

function show() {
  const read = sequence();
  const isEmpty = read.length === 0;
  const { probabilities, shares } = isEmpty ? { probabilities: [], shares: [] } : compute(read);
  expected = probabilities;
  setText(byId("degrees"), Number(inputById("temperature").value).toFixed(1));
  for (const id of ["draw", "finish"]) inputById(id).disabled = isEmpty || typed.length >= room;
  for (const id of ["back", "clear"]) inputById(id).disabled = typed.length === 0;
  showNext();
  byId("heads").replaceChildren(...shares.map((head, i) => mapOf(head, i, read)));
}

function showNext() {
  const best = expected.indexOf(Math.max(...expected));
  const after = typed.length > 0 ? `After “${written(typed)}”` : "At the start";
  const text =
    best < 0
      ? "Write a token first."
      : `${after} it expects ${best === start ? `the end, ${tokens[best]},` : tokens[best]} most, with ${percent(expected[best])}. Press a token to write it.`;
  setText(byId("answer"), text);
  byId("next").replaceChildren(...expected.map((share, token) => choiceOf(share, token, best)));
}

/** @param {number} share @param {number} token @param {number} best */
function choiceOf(share, token, best) {
  const filled = html("span", { class: "filled" });
  filled.style.width = `${100 * share}%`;
  const button = html(
    "button",
    { type: "button" },
    html("span", { class: "term" }, tokens[token]),
    html("span", { class: "bar-of" }, filled),
    html("data", { value: String(share) }, percent(share)),
  );
  button.classList.toggle("best", token === best);
  inputOf(button).disabled = typed.length >= room || token === start;
  button.addEventListener("click", () => write([...typed, token]));
  return html("li", {}, button);
}

/** @param {HTMLElement} element */
function inputOf(element) {
  return /** @type {HTMLButtonElement} */ (element);
}

/**
 * The map of one head.
 * @param {number[][]} shares
 * @param {number} head
 * @param {number[]} read
 */
function mapOf(shares, head, read) {
  const names = read.map((token) => tokens[token]);
  const rows = shares.map((row, i) =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, names[i]),
      ...row.map((share, j) => cellOf(share, `${names[i]} looks at ${names[j]}`)),
    ),
  );
  const heading = names.map((name) => html("th", { scope: "col" }, name));
  const table = html(
    "table",
    {},
    html("caption", {}, `head ${head}`),
    html("thead", {}, html("tr", {}, html("td"), ...heading)),
    html("tbody", {}, ...rows),
  );
  table.classList.toggle("many", names.length > NUMBERED);
  return html(
    "div",
    { class: "head", tabindex: "0", role: "region", "aria-label": `head ${head}; scrolls` },
    table,
  );
}

/** @param {number} share @param {string} said */
function cellOf(share, said) {
  const cell = html(
    "td",
    { title: `${said}: ${percent(share)}` },
    html("data", { value: String(share) }, (100 * share).toFixed(0)),
  );
  cell.style.background = `color-mix(in srgb, var(--heat) ${100 * share}%, var(--ground))`;
  return cell;
}

// ------------------------------------------------------------------ starting

function listen() {
  /** @type {Record<string, () => void>} */
  const clicks = {
    draw: drawOne,
    finish: drawToEnd,
    back: () => write(typed.slice(0, -1)),
    clear: () => write([]),
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  byId("prefix").addEventListener("input", readField);
  byId("temperature").addEventListener("input", show);
}

byId("attention").hidden = heads === 0;
watchTheme();
listen();
write(parsed(data.prefix).found);
