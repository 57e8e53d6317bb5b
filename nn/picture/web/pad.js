// A canvas to draw on: with a pointer, or with arrow keys and the space bar.

import { byId, setText } from "./elements.js";
import { contextOf } from "./raster.js";

const WIDTH = 280;
const PEN = 22; // pixels: the width of a stroke
const STEP = 10; // pixels that an arrow key moves the pen

/** @typedef {[number, number]} Point */

export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} ratio its height divided by its width
   * @param {() => void} drawn called after each stroke
   */
  constructor(canvas, ratio, drawn) {
    this.canvas = canvas;
    this.drawn = drawn;
    canvas.width = WIDTH;
    canvas.height = Math.round(WIDTH * ratio);
    this.context = contextOf(canvas);
    this.down = false;
    /** @type {Point} */
    this.place = [WIDTH / 2, canvas.height / 2];
    this.clear();
    this.mark();
    this.listen();
  }

  clear() {
    this.context.fillStyle = "black";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.lift();
  }

  lift() {
    this.down = false;
    setText(byId("pen"), "");
  }

  /** The ink of each pixel, 0 to 255. */
  ink() {
    const { width, height } = this.canvas;
    return this.context.getImageData(0, 0, width, height).data.filter((_, i) => i % 4 === 0);
  }

  /** @param {Point} to */
  stroke(to) {
    const { context } = this;
    context.strokeStyle = "white";
    context.lineWidth = PEN;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...this.place);
    context.lineTo(...to);
    context.stroke();
    this.place = to;
    this.drawn();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.place = this.under(event);
      this.down = true;
      this.stroke(this.place);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.stroke(this.under(event));
    });
    canvas.addEventListener("pointerup", () => this.lift());
    canvas.addEventListener("pointercancel", () => this.lift());
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    canvas.addEventListener("blur", () => this.lift());
  }

  /** @param {PointerEvent} event @returns {Point} */
  under(event) {
    const seen = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / seen.width;
    return [(event.clientX - seen.left) * scale, (event.clientY - seen.top) * scale];
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    /** @type {Record<string, Point>} */
    const moves = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    };
    const move = moves[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (move) this.go(move);
    else this.press();
  }

  /** @param {Point} move */
  go([right, down]) {
    const { width, height } = this.canvas;
    const [x, y] = this.place;
    /** @type {Point} */
    const to = [Math.min(width, Math.max(0, x + right)), Math.min(height, Math.max(0, y + down))];
    if (this.down) this.stroke(to);
    this.place = to;
    this.say();
  }

  press() {
    this.down = !this.down;
    if (this.down) this.stroke(this.place);
    this.say();
  }

  /** Show the position of the pen, for readers who move it by keys. */
  mark() {
    const { style } = byId("pen-mark");
    style.left = `${(100 * this.place[0]) / this.canvas.width}%`;
    style.top = `${(100 * this.place[1]) / this.canvas.height}%`;
  }

  say() {
    this.mark();
    const [x, y] = this.place.map((at) => Math.round(at / STEP));
    setText(byId("pen"), `pen ${this.down ? "down" : "up"}, ${x} from the left, ${y} from the top`);
  }
}
