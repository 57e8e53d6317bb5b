// The card of the reader's own points: a table to paste or write, and a pen that places points.

import { byId, html, inputById, setText } from "./elements.js";
import { notANumber, number, parsed } from "./number.js";
import { lineOf, ownPoints } from "./own.js";

/** @typedef {[number, number]} Point */

const STEP = 0.1; // by which an arrow key moves the pen; with Shift a tenth of it

const NUMBER = " number"; // the pen that places numbers; names of classes have no space in front
const FIRST = 3; // numbered classes that the pen offers at first

/** @type {Record<string, Point>} */
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** The table and the pen. */
export class Pen {
  /**
   * @param {(read: import("./own.js").Own, isPlaced: boolean) => void} use called with the points of
   *   the table, and whether the pen has placed one more
   * @param {() => {X: number[][], targets: string[]}} shown the points that the page shows
   * @param {() => void} moved called when the pen was moved, taken or laid down
   */
  constructor(use, shown, moved) {
    this.use = use;
    this.shown = shown;
    this.moved = moved;
    /** @type {Point} */
    this.place = [0, 0];
    this.table = /** @type {HTMLTextAreaElement} */ (/** @type {unknown} */ (byId("own-table")));
    byId("own-use").addEventListener("click", () => this.read());
    byId("own-shown").addEventListener("click", () => this.copy());
    byId("own-clear").addEventListener("click", () => {
      this.table.value = "";
      setText(
        byId("own-said"),
        "The table is empty. The network keeps its points until you use others.",
      );
    });
    byId("pen").addEventListener("change", () => {
      this.#showNumber();
      moved();
    });
    this.offer([]);
  }

  /** Offer the classes, and numbers. @param {string[]} names of the classes; none for numbers */
  offer(names) {
    const isCount = names.every((name, k) => name === String(k));
    const count = Math.min(Math.max(FIRST, names.length + 1), PLAY.mostClasses);
    const offered = isCount ? Array.from({ length: count }, (_, k) => String(k)) : names;
    const pen = inputById("pen");
    const { value } = pen;
    pen.replaceChildren(
      html("option", { value: "" }, "off"),
      ...offered.map((name) => html("option", { value: name }, `places points of class ${name}`)),
      html("option", { value: NUMBER }, "places numbers"),
    );
    pen.value = value === NUMBER || offered.includes(value) ? value : "";
    this.#showNumber();
  }

  #showNumber() {
    const isNumber = inputById("pen").value === NUMBER;
    /** @type {HTMLElement} */ (byId("pen-number").closest("label")).hidden = !isNumber;
  }

  /** True if clicks and keys place points. */
  isTaken() {
    return inputById("pen").value !== "";
  }

  /** How the pen reads the targets. @returns {import("./own.js").Reading} */
  #reading() {
    const { value } = inputById("pen");
    if (value === NUMBER) return "numbers";
    return value === "" ? "" : "classes";
  }

  /** Use the points of the table, or say why they cannot be. */
  read(isPlaced = false) {
    try {
      const read = ownPoints(this.table.value, this.#reading());
      this.use(read, isPlaced);
      const { length } = read.own.X;
      const { names } = read.kind;
      setText(
        byId("own-said"),
        `${length} point${length === 1 ? "" : "s"}: ${names ? `classes ${names.join(", ")}` : "numbers"}.`,
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      setText(byId("own-said"), `Not used: ${error.message}.`);
    }
  }

  /** Write the points that the page shows into the table. */
  copy() {
    const { X, targets } = this.shown();
    this.table.value = X.map((point, i) => lineOf(point, targets[i])).join("\n");
    setText(byId("own-said"), `${X.length} points are in the table.`);
  }

  /** Place a point, and use the table. @param {number[]} point */
  put(point) {
    const isNumber = this.#reading() === "numbers";
    const typed = inputById("pen-number").value;
    const target = isNumber ? parsed(typed) : inputById("pen").value;
    if (Number.isNaN(target)) {
      setText(byId("own-said"), notANumber(typed));
      return;
    }
    const before = this.table.value.trimEnd();
    this.table.value = `${before}${before && "\n"}${lineOf(point, target)}`;
    this.read(true);
  }

  /** Move the pen, or place a point; false if the key is none of the pen's. @param {KeyboardEvent} event */
  onKey({ key, shiftKey }) {
    if (key === " " || key === "Enter") {
      this.put(this.place);
      return true;
    }
    const move = MOVES[key];
    if (move === undefined) return false;
    const step = shiftKey ? STEP / 10 : STEP;
    this.place = [this.place[0] + step * move[0], this.place[1] + step * move[1]];
    setText(byId("own-said"), `The pen is at ${this.place.map((x) => number(x, 3)).join(", ")}.`);
    this.moved();
    return true;
  }
}
