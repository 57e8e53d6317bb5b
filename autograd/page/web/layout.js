// Where boxes and lines stand: as Graphviz put them, or for what was opened later, as dagre does.

/**
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Record<string, [number, number]>} boxes the middle of each box, by id
 * @property {Record<string, {path: string, middle: [number, number]}>} edges
 */

/** @typedef {"LR" | "TB"} Direction */

const ARROW = 8;

/**
 * @param {import("./fold.js").View} view
 * @param {(id: string) => [number, number]} sizeOf
 * @param {Direction} rankdir
 * @returns {Layout}
 */
export function laidOut(view, sizeOf, rankdir) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir, nodesep: 16, ranksep: 34, marginx: 4, marginy: 4 });
  // dagre puts the last one first
  for (const id of view.boxes.toReversed()) {
    const [width, height] = sizeOf(id);
    graph.setNode(id, { width, height });
  }
  for (const { id, tail, head } of view.lines) graph.setEdge(tail, head, {}, id);
  dagre.layout(graph);
  const { width, height } = graph.graph();
  /** @type {Layout} */
  const layout = { width, height, boxes: {}, edges: {} };
  for (const id of view.boxes) {
    const { x, y } = graph.node(id);
    layout.boxes[id] = [x, y];
  }
  for (const { id, tail, head } of view.lines) {
    const { points } = graph.edge(tail, head, id);
    const middle = points[Math.floor(points.length / 2)];
    layout.edges[id] = { path: curve(points), middle: [middle.x, middle.y] };
  }
  return layout;
}

/** A smooth line through points that ends in a straight arrow. @param {{x: number, y: number}[]} points */
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
