// "Open the scalars": the graph of one point's cost, from the inputs to the cost, as rows of the page
// of a graph. Python made the rows of products, sums, activations and costs, with gaps for names.

import { at, bias, weight } from "./forward.js";
import { bytes } from "./packed.js";

/** @typedef {import("./learner.js").Learner} Learner */
/** @typedef {import("./graph.js").Row} Row */

/**
 * What Python stored: templates, and the empty page of a graph, compressed.
 * @typedef {{
 *   product: Row[], sum: Row[], activations: Record<string, Row[]>,
 *   costs: Record<string, Record<number, Row[][]>>, page: string,
 * }} Templates
 */

const GAP = 0xa000; // the first of the letters that stand for names, as in templates.py
const OUT = 16; // the letter for the name of the root
const GROUP = /** @type {[number, number]} */ ([132, 52]); // the size of a closed layer
const FUNCTION = /** @type {[number, number]} */ ([170, 62]); // of a closed neuron, with its numbers
const LONGEST = 32; // letters of a name, as in notation.py

/** Rows that grow: each new node is an operation on earlier ones. */
class Rows {
  /** @type {Row[]} */
  rows = [];
  /** @type {import("./fold.js").Group[]} */
  groups = [];
  group = -1; // of the rows that follow

  /** Add a leaf. @param {string} name @param {number} data @param {boolean} moves */
  leaf(name, data, moves) {
    const size = sizeOf(name);
    return this.#push({ op: 0, args: [], data, name, atom: name, label: name, moves, size });
  }

  /**
   * Put nodes into the gaps of a template, and return the root.
   * @param {Row[]} template
   * @param {number[]} nodes
   * @param {string} label of the root; "" for none
   */
  add(template, nodes, label = "") {
    /** @type {number[]} the node of each row */
    const place = [];
    const root = template[template.length - 1];
    const called = shortened(this.#filled(root.expression ?? "", nodes, ""));
    /** @type {Record<"name" | "atom", string>} */
    const out = label
      ? { name: label, atom: label }
      : { name: called, atom: root.op > 0 ? `(${called})` : called };
    for (const row of template) {
      const gap = row.args.length === 0 ? row.label.charCodeAt(0) - GAP : NaN;
      if (gap >= 0 && gap < OUT) {
        place.push(nodes[gap]);
        continue;
      }
      const text = (/** @type {string} */ so) => this.#filled(so, nodes, out.atom);
      const made = {
        ...row,
        args: row.args.map((arg) => place[arg]),
        ...(row === root ? out : { name: shortened(text(row.name)), atom: text(row.atom) }),
        label: row === root ? label : "",
      };
      if (row.expression) made.expression = shortened(text(row.expression));
      if (row.slopes) made.slopes = row.slopes.map(text);
      if (made.label) made.size = sizeOf(made.label);
      place.push(this.#push(made));
    }
    return place[place.length - 1];
  }

  /** Begin a group inside another one. @param {string} name @param {number} parent */
  begin(name, parent) {
    this.groups.push({ name, parent, count: 0, size: GROUP, outputs: [] });
    this.group = this.groups.length - 1;
    return this.group;
  }

  /** Show the numbers of the last node in the box of its group. */
  end() {
    Object.assign(this.groups[this.group], { outputs: [this.rows.length - 1], size: FUNCTION });
  }

  /** @param {Row} row */
  #push(row) {
    for (let inside = this.group; inside >= 0; inside = this.groups[inside].parent) {
      this.groups[inside].count++;
    }
    this.rows.push(this.group < 0 ? row : { ...row, group: this.group });
    return this.rows.length - 1;
  }

  /** A text with names in its gaps. @param {string} text @param {number[]} nodes @param {string} out */
  #filled(text, nodes, out) {
    const name = (/** @type {string} */ letter) => {
      const gap = letter.charCodeAt(0) - GAP;
      return gap === OUT ? out : this.rows[nodes[gap]].name;
    };
    return text.replace(/[\ua000-\ua010]/g, name);
  }
}

/** @param {string} text */
function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** @param {string} label @returns {[number, number]} */
function sizeOf(label) {
  return [Math.max(120, 44 + 8 * label.length), 62];
}

/**
 * The data of the page of a graph: the graph of the cost of one training point. Each neuron is a
 * group in the group of its layer. The groups of one neuron are open, and its output is chosen.
 * @param {Learner} learner
 * @param {Templates} templates
 * @param {string[]} inputs the names of the inputs
 * @param {number} example
 * @param {{layer: number, neuron: number}} opened
 */
export function scalarsOf(learner, templates, inputs, example, opened) {
  const made = new Rows();
  /** @type {number[]} */
  const open = [];
  let chosen = 0;
  let nodes = learner.train.inputs.map((x, i) => made.leaf(inputs[i], x[example], false));
  learner.layers.forEach((layer, below) => {
    const k = below + 1;
    const whole = made.begin(`layer ${k}`, -1);
    if (opened.layer === k) open.push(whole);
    const before = nodes;
    nodes = Array.from({ length: layer.nout }, (_, j) => {
      const own = made.begin(`neuron ${j}`, whole);
      const output = neuron(made, templates, learner, k, j, before);
      if (opened.layer === k && opened.neuron === j) {
        open.push(own);
        chosen = output;
      }
      made.end();
      return output;
    });
  });
  made.group = -1;
  const targets = at(learner.train.wanted, example);
  cost(made, templates, learner, nodes, targets);
  return {
    nodes: made.rows,
    groups: made.groups,
    open,
    chosen,
    layouts: {},
    lr: learner.lr,
    stale: false,
  };
}

/** @param {Rows} made @param {Templates} templates @param {Learner} learner @param {number} k @param {number} j @param {number[]} before */
function neuron(made, { product, sum, activations }, learner, k, j, before) {
  const layer = learner.layers[k - 1];
  let z = made.leaf(`b${k}[${j}]`, bias(layer, j), true);
  before.forEach((x, i) => {
    const w = made.leaf(`W${k}[${j},${i}]`, weight(layer, j, i), true);
    const isLast = i === before.length - 1;
    z = made.add(sum, [z, made.add(product, [w, x])], isLast ? `z${k}[${j}]` : "");
  });
  const template = activations[learner.shape.activations[k - 1]];
  return template ? made.add(template, [z], `a${k}[${j}]`) : z;
}

/** @param {Rows} made @param {Templates} templates @param {Learner} learner @param {number[]} outputs @param {number[]} targets */
function cost(made, { costs }, learner, outputs, targets) {
  const several = costs[learner.settings.cost][outputs.length];
  const isOne = outputs.length === 1;
  if (several.length > 1) {
    made.add(several[targets[0]], outputs, "C");
  } else if (learner.settings.cost === "cross_entropy") {
    const right = targets.indexOf(1);
    made.begin("cross-entropy", -1);
    made.add(several[0], [outputs[right], ...outputs.filter((_, k) => k !== right)], "C");
    made.end();
  } else {
    const wanted = targets.map((y, k) => made.leaf(isOne ? "y" : `y[${k}]`, y, false));
    made.add(several[0], [...outputs, ...wanted], "C");
  }
}

/**
 * The page of a graph with these data, as HTML.
 * @param {string} packed the empty page
 * @param {object} data
 * @returns {Promise<string>}
 */
export function pageWith(packed, data) {
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return unpacked(packed).then((html) => html.replace('id="data">{}<', () => `id="data">${json}<`));
}

/** @param {string} packed */
function unpacked(packed) {
  const stream = new Blob([bytes(packed)]).stream();
  return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).text();
}
