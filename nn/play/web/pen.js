// The card of the reader's own points: a table to paste or write, and a pen that places points.

import { byId, inputById, setText } from "./elements.js";
import { number } from "./number.js";
import { lineOf, ownPoints } from "./own.js";

/** @typedef {[number, number]} Point */

const STEP = 0.1; // by which an arrow key moves the pen; with Shift a tenth of it

/** @type {Record<string, Point>} */
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** The table and the pen. */
export class Pen {
  /**
   * @param {(read: ReturnType<typeof ownPoints>) => void} use called with the points of the table
   * @param {() => import("./points.js").Examples} shown the points that the page shows
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
    byId("pen").addEventListener("change", () => moved());
  }

  /** True if clicks and keys place points. */
  isTaken() {
    return inputById("pen").value !== "";
  }

  /** Use the points of the table, or say why they cannot be. */
  read() {
    try {
      const read = ownPoints(this.table.value);
      this.use(read);
      const { length } = read.own.X;
      setText(
        byId("own-said"),
        `${length} point${length === 1 ? "" : "s"}: ${read.own.names.length > 0 ? `classes ${read.own.names.join(", ")}` : "numbers"}.`,
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      setText(byId("own-said"), `Not used: ${error.message}.`);
    }
  }

  /** Write the points that the page shows into the table. */
  copy() {
    const { X, y } = this.shown();
    this.table.value = X.map((point, i) => lineOf(point, number(y[i], 4))).join("\n");
    setText(byId("own-said"), `${X.length} points are in the table.`);
  }

  /** Place a point, and use the table. @param {number[]} point */
  put(point) {
    const before = this.table.value.trimEnd();
    this.table.value = `${before}${before && "\n"}${lineOf(point, inputById("pen").value)}`;
    this.read();
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
