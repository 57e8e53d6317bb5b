// Positions of boxes and lines. The page stores Graphviz's layouts of its first view (see
// layout.py); this module computes those of other views with dagre.

/**
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Record<string, [number, number]>} boxes the centre of each box, by id
 * @property {Record<string, {path: string, middle: [number, number]}>} edges the SVG path and the
 *   middle of each line, by id
 */

/** @typedef {"LR" | "TB"} Direction */

export const MOST_LABELLED = 40; // with more lines, local derivatives are not written beside them
const LABEL = { width: 46, height: 14, labelpos: "c" }; // the space for "× 0.000"
const ARROW = 8; // pixels from the base of an arrow to its tip
const WIDEST_FAN = 8; // as in play.py: with more lines from one leaf, the layout takes seconds

/**
 * The layout of one view for another of the same form, such as one in which look-ups choose other
 * entries: each box has the place of the box that it replaces. Null if the form differs.
 * @param {Layout} layout
 * @param {import("./fold.js").View} before the view of the layout
 * @param {import("./fold.js").View} after
 * @param {(id: string) => [number, number]} sizeOf
 * @returns {Layout | null}
 */
export function exchanged(layout, before, after, sizeOf) {
  if (before.lines.length !== after.lines.length) return null;
  if (before.boxes.length !== after.boxes.length) return null;
  /** @type {[string, string][]} */
  const pairs = after.lines.flatMap(({ tail, head }, k) => [
    [before.lines[k].tail, tail],
    [before.lines[k].head, head],
  ]);
  pairs.push([before.boxes[before.boxes.length - 1], after.boxes[after.boxes.length - 1]]);
  const now = new Map(pairs);
  const then = new Map(pairs.map(([one, other]) => [other, one]));
  const fits = pairs.every(
    ([one, other]) =>
      now.get(one) === other &&
      then.get(other) === one &&
      String(sizeOf(one)) === String(sizeOf(other)),
  );
  if (!fits) return null;
  const boxes = Object.fromEntries([...now].map(([one, other]) => [other, layout.boxes[one]]));
  const edges = Object.fromEntries(
    before.lines.flatMap(({ id }, k) =>
      layout.edges[id] ? [[after.lines[k].id, layout.edges[id]]] : [],
    ),
  );
  return { ...layout, boxes, edges };
}

/**
 * Lay out a view with dagre.
 * @param {import("./fold.js").View} view
 * @param {(id: string) => [number, number]} sizeOf
 * @param {Direction} rankdir
 * @returns {Layout}
 */
export function laidOut(view, sizeOf, rankdir) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir, nodesep: 16, ranksep: 34, marginx: 4, marginy: 4 });
  // dagre draws the box that is added last first
  for (const id of view.boxes.toReversed()) {
    const [width, height] = sizeOf(id);
    graph.setNode(id, { width, height });
  }
  const routed = routedLines(view);
  const labelled = view.lines.length <= MOST_LABELLED;
  for (const { id, tail, head } of routed)
    graph.setEdge(tail, head, labelled ? { ...LABEL } : {}, id);
  dagre.layout(graph);
  const { width, height } = graph.graph();
  /** @type {Layout} */
  const layout = { width, height, boxes: {}, edges: {} };
  for (const id of view.boxes) {
    const { x, y } = graph.node(id);
    layout.boxes[id] = [x, y];
  }
  for (const { id, tail, head } of routed) {
    const { points, x, y } = graph.edge(tail, head, id);
    const middle = labelled ? { x, y } : points[Math.floor(points.length / 2)];
    layout.edges[id] = { path: curve(points), middle: [middle.x, middle.y] };
  }
  return layout;
}

/**
 * The lines that dagre lays out: of the lines from one leaf only the first few.
 * @param {import("./fold.js").View} view
 */
function routedLines(view) {
  const heads = new Set(view.lines.map(({ head }) => head));
  /** @type {Map<string, number>} */
  const fans = new Map();
  return view.lines.filter(({ tail }) => {
    const count = (fans.get(tail) ?? 0) + 1;
    fans.set(tail, count);
    return heads.has(tail) || count <= WIDEST_FAN;
  });
}

/**
 * A straight line between two boxes, for a line that was not laid out.
 * @param {Layout} layout
 * @param {import("./fold.js").Line} line
 * @param {(id: string) => [number, number]} sizeOf
 */
export function straightLine(layout, { tail, head }, sizeOf) {
  const [x0, y0] = layout.boxes[tail];
  const [x1, y1] = layout.boxes[head];
  const start = { x: x0, y: y0 };
  const share = shareInside(sizeOf(head), x1 - x0, y1 - y0);
  const end = { x: x1 - share * (x1 - x0), y: y1 - share * (y1 - y0) };
  const middle = middleOf(start, end);
  return {
    path: curve([start, end]),
    middle: /** @type {[number, number]} */ ([middle.x, middle.y]),
  };
}

/**
 * The share of a line, from centre to centre, that the box at its end covers.
 * @param {[number, number]} size
 * @param {number} across
 * @param {number} down
 */
function shareInside([width, height], across, down) {
  return Math.min(1, width / 2 / Math.abs(across), height / 2 / Math.abs(down));
}

/**
 * A smooth path along the points; it ends straight, where the arrow is drawn.
 * @param {{x: number, y: number}[]} points
 */
function curve(points) {
  const tip = points[points.length - 1];
  const before = points[points.length - 2];
  const length = Math.hypot(tip.x - before.x, tip.y - before.y) || 1;
  const share = Math.min(1, ARROW / length);
  const base = { x: tip.x - share * (tip.x - before.x), y: tip.y - share * (tip.y - before.y) };
  const along = [...points.slice(0, -1), base];
  let path = `M${at(along[0])}`;
  for (let i = 1; i < along.length - 1; i++) {
    const last = i === along.length - 2;
    const end = last ? along[i + 1] : middleOf(along[i], along[i + 1]);
    path += `Q${at(along[i])} ${at(end)}`;
  }
  if (along.length === 2) path += `L${at(base)}`;
  return `${path}L${at(tip)}`;
}

/** @param {{x: number, y: number}} a @param {{x: number, y: number}} b */
function middleOf(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/** @param {{x: number, y: number}} point */
function at({ x, y }) {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}
