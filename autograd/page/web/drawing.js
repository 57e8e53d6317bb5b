// The graph as SVG. `make` builds it once for a view; `show` changes it in place for each position.

import { showEdges } from "./edge.js";
import { byId, setAttribute, setText, svg } from "./elements.js";
import { isConstant, isLeaf, local, looksUp, rootOf } from "./graph.js";
import { placesBeside } from "./labels.js";
import { MOST_LABELLED, straightLine } from "./layout.js";
import { number } from "./number.js";

/** @typedef {import("./graph.js").Graph} Graph */
/** @typedef {import("./fold.js").View} View */
/** @typedef {import("./fold.js").Group} Group */

/**
 * The state of the player that the drawing shows.
 * @typedef {object} Moment
 * @property {(i: number) => boolean} hasValue true if the value of a node is computed
 * @property {(number | undefined)[]} gradients the gradients known so far
 * @property {import("./steps.js").Place} place
 * @property {string | null} selected the box that was chosen
 * @property {(i: number) => boolean} isHidden true if the quiz hides the gradient of a node
 */

/**
 * The elements of a box and of a line that `show` changes.
 * @typedef {{element: SVGElement, data: SVGElement | null, grad: SVGElement | null, node: number}} Box
 * @typedef {{element: SVGElement, path: SVGElement, tip: SVGElement, text: SVGElement | null}} Edge
 */

const MARGIN = 8;
const [SMALLEST, LARGEST] = [11 / 12, 1.7]; // limits of the scale: the least text is 12 px high
/** @type {[number, number]} */
export const PAPER = [660, 800]; // width and height of the drawing on paper, in pixels
const MOST_OF_WINDOW = 0.6; // the largest share of the window's height, as in player.css

export class Drawing {
  /**
   * @param {Graph} graph
   * @param {Group[]} groups
   * @param {(box: string) => void} choose called with a box that is clicked
   * @param {(box: string | null) => void} look called with the box under the pointer or in focus
   */
  constructor(graph, groups, choose, look) {
    this.graph = graph;
    this.groups = groups;
    this.choose = choose;
    this.look = look;
    this.zoom = 1;
    this.width = 0;
    this.height = 0;
    /** @type {Map<string, Box>} */
    this.boxes = new Map();
    /** @type {Map<string, Edge>} */
    this.edges = new Map();
    /** @type {View} */
    this.view = { boxes: [], lines: [], item: [] };
  }

  /**
   * Draw a view, and replace the previous drawing.
   * @param {View} view
   * @param {import("./layout.js").Layout} layout
   */
  make(view, layout) {
    this.view = view;
    this.boxes.clear();
    this.edges.clear();
    const lines = this.makeLines(view, layout);
    const boxes = view.boxes.map((id) => this.makeBox(id, layout.boxes[id]));
    this.width = layout.width + 2 * MARGIN;
    this.height = layout.height + 2 * MARGIN;
    const corner = `${-MARGIN} ${-MARGIN}`;
    this.svg = svg(
      "svg",
      {
        viewBox: `${corner} ${this.width} ${this.height}`,
        role: "group",
        "aria-label": "the graph: values flow along the arrows, and gradients flow against them",
      },
      svg("g", {}, ...lines),
      svg("g", {}, ...boxes),
    );
    byId("drawing").replaceChildren(this.svg);
  }

  /**
   * Make the lines, and the numbers beside them.
   * @param {View} view
   * @param {import("./layout.js").Layout} layout
   */
  makeLines({ lines, boxes }, layout) {
    const routes = lines.map((line) => ({
      id: line.id,
      ...(layout.edges[line.id] ?? straightLine(layout, line, (id) => this.sizeOf(id))),
    }));
    if (lines.length > MOST_LABELLED)
      return lines.map((line, k) => this.makeLine(line, routes[k].path));
    const areas = boxes.map((id) => areaOf(layout.boxes[id], this.sizeOf(id)));
    const places = placesBeside(routes, areas);
    return lines.map((line, k) => this.makeLine(line, routes[k].path, places.get(line.id)));
  }

  /** Fit the drawing into the window, but keep it large enough to read. */
  scale() {
    const room = byId("drawing").clientWidth;
    const fitting = fit(this, room, MOST_OF_WINDOW * window.innerHeight);
    this.setWidth(Math.max(SMALLEST, fitting) * this.zoom);
  }

  /** Fit the whole drawing into the window, even if it is then too small to read. */
  fitAll() {
    const room = byId("drawing").clientWidth;
    const fitting = fit(this, room, MOST_OF_WINDOW * window.innerHeight);
    this.zoom = fitting / Math.max(SMALLEST, fitting);
    this.scale();
  }

  /** Fit the whole drawing onto a sheet of paper. */
  scaleToPaper() {
    this.setWidth(fit(this, ...PAPER));
  }

  /** @param {number} scale */
  setWidth(scale) {
    if (this.svg) this.svg.style.width = `${Math.floor(this.width * scale)}px`;
    showEdges();
  }

  /**
   * @param {string} id
   * @param {[number, number]} middle
   */
  makeBox(id, [x, y]) {
    const [width, height] = this.sizeOf(id);
    const frame = { x: -width / 2, y: -height / 2, width, height, rx: 7 };
    const i = Number(id.slice(1));
    const group = id.startsWith("g");
    const element = svg("g", {
      transform: `translate(${x} ${y})`,
      class: `box ${group ? "group" : kindOf(this.graph, i)}`,
      tabindex: 0,
      role: "button",
      "data-box": id,
    });
    const box = group
      ? this.fillGroup(element, frame, this.groups[i])
      : this.fillNode(element, frame, i);
    element.addEventListener("click", () => this.choose(id));
    for (const event of ["pointerenter", "focus"]) {
      element.addEventListener(event, () => this.look(id));
    }
    for (const event of ["pointerleave", "blur"]) {
      element.addEventListener(event, () => this.look(null));
    }
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      this.choose(id);
    });
    this.boxes.set(id, box);
    return element;
  }

  /** @param {string} id @returns {[number, number]} */
  sizeOf(id) {
    const i = Number(id.slice(1));
    return id.startsWith("g") ? this.groups[i].size : this.graph.rows[i].size;
  }

  /**
   * @param {SVGElement} element
   * @param {Record<string, number>} frame
   * @param {Group} group
   * @returns {Box}
   */
  fillGroup(element, frame, group) {
    if (group.outputs.length === 1)
      return this.fillFunction(element, frame, group, group.outputs[0]);
    const labels = group.outputs.map((i) => this.graph.rows[i].label).filter(Boolean);
    const count = `${group.count.toLocaleString("en")} nodes`;
    const content = labels.length > 0 ? shortened(labels.join(", "), 80) : count;
    element.append(
      svg("rect", { ...frame, class: "frame" }),
      svg("text", { y: -4, "text-anchor": "middle", class: "label" }, shortened(group.name, 17)),
      svg("text", { y: 15, "text-anchor": "middle", class: "what" }, `⊕ ${shortened(content, 17)}`),
      svg("title", {}, `${group.name}, ${content}: click to open`),
    );
    setAttribute(element, "aria-label", `${group.name}, ${content}, folded: press Enter to open`);
    return { element, data: null, grad: null, node: -1 };
  }

  /**
   * @param {SVGElement} element
   * @param {Record<string, number>} frame
   * @param {number} i
   * @returns {Box}
   */
  fillNode(element, frame, i) {
    const row = this.graph.rows[i];
    const title = svg(
      "title",
      {},
      row.label && row.expression ? `${row.name} = ${row.expression}` : row.name,
    );
    if (isConstant(row)) {
      const data = svg("text", { y: 5, "text-anchor": "middle", class: "number" });
      element.append(svg("rect", { ...frame, class: "frame" }), data, title);
      return { element, data, grad: null, node: i };
    }
    const symbol = svg("tspan", { class: "symbol", dx: row.label ? 6 : 0 }, this.symbolOf(i));
    element.append(
      svg("rect", { ...frame, class: "frame" }),
      svg(
        "text",
        { y: -13, "text-anchor": "middle", class: "label" },
        row.label,
        ...(isLeaf(row) ? [] : [symbol]),
        ...(looksUp(this.graph, i)
          ? [svg("tspan", { class: "what", dx: 5 }, `one of ${row.args.length - 1}`)]
          : []),
      ),
      title,
    );
    return { element, ...numbersIn(element, frame), node: i };
  }

  /**
   * The box of a closed function, with the numbers of its output.
   * @param {SVGElement} element
   * @param {Record<string, number>} frame
   * @param {Group} group
   * @param {number} output
   * @returns {Box}
   */
  fillFunction(element, frame, group, output) {
    const { label } = this.graph.rows[output];
    const symbol = svg("tspan", { class: "symbol", dx: label ? 6 : 0 }, `${group.name} ⊕`);
    element.append(
      svg("rect", { ...frame, class: "frame" }),
      svg("text", { y: -13, "text-anchor": "middle", class: "label" }, label, symbol),
      svg("title", {}, `${group.name}, ${group.count} nodes: click to open`),
    );
    return { element, ...numbersIn(element, frame), node: output };
  }

  /** @param {number} i */
  symbolOf(i) {
    return shortened(OPERATIONS[this.graph.rows[i].op].symbol, 12);
  }

  /**
   * @param {import("./fold.js").Line} line
   * @param {string} route
   * @param {[number, number]} [place] the centre of its number, if numbers are written
   */
  makeLine(line, route, place) {
    const path = svg("path", { d: route, class: "line" });
    const tip = svg("path", { d: arrow(route), class: "tip" });
    const element = svg(
      "g",
      { class: "edge", "data-edge": line.id },
      svg("path", { d: route, class: "halo" }),
      path,
      tip,
    );
    const [node, slot] = line.stands[0];
    const single =
      line.stands.length === 1 && line.tail.startsWith("n") && line.head.startsWith("n");
    const told = single && !isConstant(this.graph.rows[this.graph.rows[node].args[slot]]);
    const text =
      told && place
        ? svg("text", { x: place[0], y: place[1] + 4, "text-anchor": "middle", class: "local" })
        : null;
    if (text) element.append(text);
    this.edges.set(line.id, { element, path, tip, text });
    return element;
  }

  /**
   * Update the numbers, the widths of the lines and the highlights.
   * @param {Moment} moment
   */
  show(moment) {
    const active = this.activeBoxes(moment);
    for (const [id, box] of this.boxes) {
      if (box.data) this.showNode(box, moment);
      const classes = box.element.classList;
      classes.toggle("active", active.has(id));
      classes.toggle("selected", moment.selected === id);
    }
    const flows = this.view.lines.map((line) => this.flowOf(line, moment));
    const largest = Math.max(
      ...flows.map((flow) => (Number.isFinite(flow) ? Math.abs(flow) : 0)),
      1e-300,
    );
    this.view.lines.forEach((line, k) => this.showLine(line, flows[k], largest, moment));
  }

  /** @param {Moment} moment */
  activeBoxes({ place }) {
    const { item } = this.view;
    if (place.pass === "seed") return new Set([item[rootOf(this.graph)]]);
    return new Set([place.node, place.arg].filter((i) => i >= 0).map((i) => item[i]));
  }

  /**
   * @param {Box} box
   * @param {Moment} moment
   */
  showNode(box, moment) {
    const i = box.node;
    const row = this.graph.rows[i];
    const known = moment.hasValue(i);
    const value = known ? number(this.graph.values[i]) : "—";
    const gradient = gradientText(moment, i);
    const label = isConstant(row) && row.label ? `${row.label} = ${value}` : value;
    if (box.data) setText(box.data, label);
    if (box.grad) setText(box.grad, gradient);
    box.element.classList.toggle("pending", !known);
    const told = isConstant(row)
      ? `constant ${label}`
      : `${row.name}: value ${value}, gradient ${gradient}`;
    setAttribute(box.element, "aria-label", told.replaceAll("—", "not known yet"));
  }

  /**
   * The gradient that flows back along a line, upstream × local; NaN if it is not known yet.
   * @param {import("./fold.js").Line} line
   * @param {Moment} moment
   */
  flowOf({ stands }, { gradients, place, isHidden }) {
    let flow = NaN;
    for (const [node, slot] of stands) {
      const upstream = gradients[node];
      const arg = this.graph.rows[node].args[slot];
      const reached =
        gradients[arg] !== undefined && (place.pass !== "backward" || done(place, node, slot));
      if (upstream === undefined || !reached || isConstant(this.graph.rows[arg]) || isHidden(arg))
        continue;
      flow = (Number.isNaN(flow) ? 0 : flow) + upstream * local(this.graph, node, slot);
    }
    return flow;
  }

  /**
   * @param {import("./fold.js").Line} line
   * @param {number} flow
   * @param {number} largest
   * @param {Moment} moment
   */
  showLine(line, flow, largest, moment) {
    const edge = this.edges.get(line.id);
    if (!edge) return;
    const { place } = moment;
    const [node, slot] = line.stands[0];
    const lit =
      place.pass === "forward"
        ? line.stands.some(([n]) => n === place.node)
        : line.stands.some(([n, s]) => n === place.node && s === place.slot);
    const sign = Number.isNaN(flow) ? "" : flow > 0 ? " plus" : flow < 0 ? " minus" : " none";
    setAttribute(edge.element, "class", `edge${sign}${lit ? " active" : ""}`);
    const share = Number.isFinite(flow) ? Math.min(1, Math.abs(flow) / largest) : 0;
    const width = sign === "" ? 1.1 : 1.1 + 3.9 * Math.sqrt(share);
    setAttribute(edge.path, "stroke-width", width.toFixed(2));
    if (!edge.text) return;
    setText(
      edge.text,
      moment.hasValue(node) ? `× ${number(local(this.graph, node, slot), 3)}` : "",
    );
  }

  /** @param {string} id */
  focus(id) {
    this.boxes.get(id)?.element.focus();
  }

  /** Scroll the drawing until a box is visible. @param {string} id */
  reveal(id) {
    const box = this.boxes.get(id);
    if (!box) return;
    const room = byId("drawing");
    const seen = room.getBoundingClientRect();
    const place = box.element.getBoundingClientRect();
    const across = place.left < seen.left || place.right > seen.right;
    const down = place.top < seen.top || place.bottom > seen.bottom;
    if (across) room.scrollLeft += place.left + place.width / 2 - seen.left - seen.width / 2;
    if (down) room.scrollTop += place.top + place.height / 2 - seen.top - seen.height / 2;
  }
}

/**
 * The scale at which something fits into a space, at most LARGEST.
 * @param {{width: number, height: number}} size
 * @param {number} across
 * @param {number} down
 */
export function fit({ width, height }, across, down) {
  return Math.min(LARGEST, across / width, down / height);
}

/**
 * Add the fields of the value and the gradient to a box.
 * @param {SVGElement} element
 * @param {Record<string, number>} frame
 */
function numbersIn(element, frame) {
  const right = frame.width / 2 - 8;
  const data = svg("text", { x: right, y: 6, "text-anchor": "end", class: "number" });
  const grad = svg("text", { x: right, y: 23, "text-anchor": "end", class: "number" });
  element.append(
    svg("text", { x: -right, y: 6, class: "what" }, "data"),
    svg("text", { x: -right, y: 23, class: "what" }, "grad"),
    data,
    grad,
  );
  return { data, grad };
}

/** @param {[number, number]} centre @param {[number, number]} size */
function areaOf([x, y], [width, height]) {
  return {
    left: x - width / 2,
    right: x + width / 2,
    top: y - height / 2,
    bottom: y + height / 2,
  };
}

/** @param {Moment} moment @param {number} i */
function gradientText({ gradients, isHidden }, i) {
  if (isHidden(i)) return "?";
  const gradient = gradients[i];
  return gradient === undefined ? "—" : number(gradient);
}

/**
 * True if the backward pass, which runs from the last node to the first, is past an edge.
 * @param {import("./steps.js").Place} place
 * @param {number} node
 * @param {number} slot
 */
function done(place, node, slot) {
  return node > place.node || (node === place.node && slot <= place.slot);
}

/** @param {Graph} graph @param {number} i */
function kindOf(graph, i) {
  if (isConstant(graph.rows[i])) return "constant";
  if (i === rootOf(graph)) return "root";
  return isLeaf(graph.rows[i]) ? "leaf" : "op";
}

/** @param {string} text @param {number} width */
function shortened(text, width) {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** The tip of an arrow; its direction is that of the path's last segment. @param {string} path */
function arrow(path) {
  const numbers = (path.match(/-?[\d.]+/g) ?? []).map(Number);
  const [x0, y0, x, y] = numbers.slice(-4);
  const length = Math.hypot(x - x0, y - y0) || 1;
  const [dx, dy] = [(x - x0) / length, (y - y0) / length];
  const [bx, by] = [x - 8 * dx, y - 8 * dy];
  return `M${x} ${y}L${bx - 3.4 * dy} ${by + 3.4 * dx}L${bx + 3.4 * dy} ${by - 3.4 * dx}Z`;
}
