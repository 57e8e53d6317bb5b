// The controls of a player: buttons, slider and keys, and the position in the page's address.

import { byId, inputById, setText } from "./elements.js";

const REST = 150; // milliseconds without a move before the address is written

/**
 * The sequence of positions that is played.
 * @typedef {object} Piece
 * @property {number} last the last position; the first is 0
 * @property {string} unit the word for a position in the address, such as "epoch" in #epoch=3
 * @property {(position: number) => string} label the text for a position in the address
 * @property {(label: string) => number | null} find the position of such a text, or null
 * @property {(position: number) => void} show called to display a position
 */

export class Playback {
  /** @param {Piece} piece @param {number} position the first position, if the address has none */
  constructor(piece, position) {
    this.piece = piece;
    this.framed = document.URL.startsWith("about:");
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.address = undefined;
    this.position = Math.min(piece.last, this.asked() ?? position);
    this.setLast(piece.last);
    this.listen();
  }

  /** Set the last position; a later one moves to it. @param {number} last */
  setLast(last) {
    this.piece.last = last;
    this.position = Math.min(this.position, last);
    inputById("slider").max = String(last);
  }

  /** The position in the address, or null. */
  asked() {
    const [unit, label] = window.location.hash.slice(1).split("=");
    return unit === this.piece.unit && label ? this.piece.find(label) : null;
  }

  /** @param {number} position */
  go(position) {
    this.position = Math.max(0, Math.min(this.piece.last, Math.round(position)));
    this.show();
    this.noteAddress();
  }

  /**
   * Write the position to the address once it rests, because browsers limit how often a page may.
   */
  noteAddress() {
    if (this.framed) return;
    clearTimeout(this.address);
    this.address = setTimeout(() => {
      const { unit, label } = this.piece;
      history.replaceState(null, "", `#${unit}=${label(this.position)}`);
    }, REST);
  }

  show() {
    const { position } = this;
    const { last } = this.piece;
    inputById("slider").value = String(position);
    for (const id of ["first", "previous"]) inputById(id).disabled = position === 0;
    for (const id of ["next", "last"]) inputById(id).disabled = position === last;
    this.piece.show(position);
  }

  play() {
    if (this.position === this.piece.last) this.go(0);
    this.tick();
  }

  tick() {
    this.timer = setTimeout(
      () => {
        this.go(this.position + 1);
        if (this.position === this.piece.last) this.pause();
        else this.tick();
      },
      1000 / Number(inputById("speed").value),
    );
    this.showPlaying();
  }

  pause() {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.showPlaying();
  }

  toggle() {
    if (this.timer === null) this.play();
    else this.pause();
  }

  showPlaying() {
    const playing = this.timer !== null;
    byId("play").setAttribute("aria-pressed", String(playing));
    // do not announce every step
    byId("words").setAttribute("aria-live", playing ? "off" : "polite");
    setText(byId("play"), playing ? "Pause" : "Play");
  }

  listen() {
    /** @type {Record<string, () => void>} */
    const clicks = {
      first: () => this.go(0),
      previous: () => this.go(this.position - 1),
      play: () => this.toggle(),
      next: () => this.go(this.position + 1),
      last: () => this.go(this.piece.last),
    };
    for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
    inputById("slider").addEventListener("input", () => this.go(Number(inputById("slider").value)));
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("hashchange", () => this.go(this.asked() ?? this.position));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("input, select")) return;
    const pressable = target.matches("button, [role=button]");
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => this.go(this.position + 1),
      ArrowLeft: () => this.go(this.position - 1),
      Home: () => this.go(0),
      End: () => this.go(this.piece.last),
    };
    const act = event.key === " " && !pressable ? () => this.toggle() : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
