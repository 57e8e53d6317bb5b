// An image for each neuron: its activation over the plane of two inputs, or its weights as an
// image.

import { nameOf } from "./columns.js";
import { byId, html, setAttribute, setText } from "./elements.js";
import { weightsInto } from "./forward.js";
import { number } from "./number.js";
import { boundOf, paintAroundZero, spanOf } from "./raster.js";

/** @typedef {(k: number, j: number) => void} Choose */

/**
 * The image of a neuron: its layer `k`, from 1, and its position `j` in the layer.
 * @typedef {{k: number, j: number, canvas: HTMLCanvasElement, caption: HTMLElement}} View
 */

const MOST = 64; // most neurons of a layer that get an image

/** The activation of each neuron over the plane of both inputs. */
export class Heats {
  /** @param {number[]} sizes @param {string[]} activations @param {Choose} choose */
  constructor(sizes, activations, choose) {
    setText(byId("views-title"), "The output of each neuron");
    setText(
      byId("views-key"),
      "The activation over the same plane as above. The full colours are ± the largest |value| of the image, which is written below it.",
    );
    this.views = sizes
      .slice(1)
      .flatMap((size, i) => row(i + 1, size, activations[i], "smooth", choose));
  }

  /** @param {import("./plane.js").Survey} surveyed */
  show(surveyed) {
    for (const { k, j, canvas, caption } of this.views) {
      const activations = surveyed[k][j];
      const { low, high } = spanOf(activations);
      paintAroundZero(canvas, Math.sqrt(activations.length), activations);
      setAttribute(
        canvas,
        "aria-label",
        `${nameOf(k, j)} over the plane: from ${number(low)} to ${number(high)}`,
      );
      const dead = activations.every((a) => a === 0);
      setText(caption, `${nameOf(k, j)}: ${dead ? "dead" : `±${number(boundOf(activations), 3)}`}`);
    }
  }
}

/** The weights of each neuron in the first layer, as an image. */
export class Templates {
  /**
   * @param {number} size
   * @param {string} activation
   * @param {number} across pixels
   * @param {Choose} choose
   */
  constructor(size, activation, across, choose) {
    this.across = across;
    setText(
      byId("views-key"),
      "Light on a pixel of a positive weight raises z; on one of a negative weight it lowers z. The full colours are ± the largest |number| of the image, which is written below it.",
    );
    this.views = row(1, size, activation, "pixels", choose);
  }

  /**
   * @param {import("./forward.js").Layer} layer weights or gradients
   * @param {boolean} areGradients
   */
  show(layer, areGradients) {
    const what = areGradients ? "gradients" : "weights";
    setText(byId("views-title"), `The ${what} of the first layer as images`);
    byId("views-key").hidden = areGradients;
    for (const { k, j, canvas, caption } of this.views) {
      const numbers = weightsInto(layer, j);
      setText(caption, `${nameOf(k, j)}: ±${number(boundOf(numbers), 3)}`);
      paintAroundZero(canvas, this.across, numbers);
      setAttribute(
        canvas,
        "aria-label",
        `the ${what} of ${nameOf(k, j)} as an image, up to ${number(boundOf(numbers))}`,
      );
    }
  }
}

/**
 * Add the images for the neurons of a layer to the page.
 * @param {number} k
 * @param {number} size
 * @param {string} activation
 * @param {string} kind
 * @param {Choose} choose
 * @returns {View[]}
 */
function row(k, size, activation, kind, choose) {
  const places = Array.from({ length: Math.min(size, MOST) }, (_, j) => j);
  const views = places.map((j) => ({
    k,
    j,
    canvas: /** @type {HTMLCanvasElement} */ (html("canvas", { role: "img", class: kind })),
    caption: html("figcaption", {}, nameOf(k, j)),
  }));
  const figures = views.map(({ j, canvas, caption }) => {
    const framed = html("figure", {}, canvas, caption);
    framed.addEventListener("pointerenter", () => choose(k, j));
    return framed;
  });
  const left = size - places.length;
  const more =
    left > 0 ? [html("p", { class: "what" }, `and ${left.toLocaleString("en")} more`)] : [];
  byId("heats").append(
    html("h3", {}, `layer ${k}, ${activation}`),
    html("div", { class: "heats" }, ...figures),
    ...more,
  );
  return views;
}
