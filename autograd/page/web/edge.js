// Say where a drawing goes on beyond its frame.

import { byId, setAttribute, setText } from "./elements.js";

const SLACK = 4; // pixels that do not count as hidden

/** Show at which sides of its frame the drawing goes on, now and whenever it is scrolled. */
export function watchEdges() {
  byId("drawing").addEventListener("scroll", showEdges);
}

export function showEdges() {
  const frame = byId("drawing");
  const hidden = [
    ["left", frame.scrollLeft],
    ["right", frame.scrollWidth - frame.clientWidth - frame.scrollLeft],
    ["top", frame.scrollTop],
    ["bottom", frame.scrollHeight - frame.clientHeight - frame.scrollTop],
  ].flatMap(([side, pixels]) => (Number(pixels) > SLACK ? [String(side)] : []));
  setAttribute(frame, "data-more", hidden.join(" "));
  setText(
    byId("more"),
    hidden.length ? `The drawing goes on: ${hidden.map((side) => SIGNS[side]).join(", ")}.` : "",
  );
}

/** @type {Record<string, string>} */
const SIGNS = { left: "◀ left", right: "right ▶", top: "▲ up", bottom: "down ▼" };
