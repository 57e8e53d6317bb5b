// What the page declares before its modules run.

/** The activations of the layers, in their order. */
declare const ACTIVATIONS: Activation[];

type Activation =
  | {
      each: (z: number) => number;
      together: null;
      back: (z: number) => number[];
    }
  | {
      each: null;
      together: (...sums: number[]) => number[];
      back: (...sumsAndUpstream: number[]) => number[];
    };

declare const SHARES: ((...outputs: number[]) => number[]) | null;

/** The cost of one example, then its derivatives by the outputs and by the targets. */
type Cost = (...outputsAndTargets: number[]) => number[];

/** The cost of the page's model; null if the page knows none. */
declare const COST: Cost | null;

/** A setting of the playground, as settings.py describes it. */
type SettingRow = {
  label: string;
  default: any;
  kind: "choice" | "names" | "number" | "whole" | "sizes";
  choices: Record<string, string>;
  least: number;
  most: number;
  above: boolean;
};

/** A kind of points; `names` are those of the classes if the reader gave names. */
type DataRow = {
  title: string;
  targets: "sides" | "classes" | "numbers";
  count: number;
  names?: string[];
};

/** What can be chosen in the playground. */
declare const PLAY: {
  settings: Record<string, SettingRow>;
  limits: {
    flat: Record<string, number>;
    saturated: number;
    ratio: number;
    hardly: number;
    late: number;
  };
  mostLayers: number;
  mostNeurons: number;
  mostPoints: number;
  mostClasses: number;
  sides: Record<string, { targets: [number, number]; threshold: number }>;
  costs: Record<string, string[]>;
  inits: Record<string, string>;
  data: Record<string, DataRow>;
  schedules: Record<string, { kind: string; arguments: Record<string, number> }>;
};

/** The activations by name; the costs, and the probabilities that they imply, by number of outputs. */
declare const FORMULAS: {
  activations: Record<string, Activation>;
  costs: Record<string, Record<number, Cost>>;
  shares: Record<string, Record<number, (...outputs: number[]) => number[]>>;
};

/** The operations of the programs of the page. */
declare const COMPUTE: ((...operands: number[]) => number)[];

declare const OPERATIONS: import("./graph.js").Operation[];

declare const QUIZ: Record<
  | "sign"
  | "kept"
  | "path"
  | "onePath"
  | "added"
  | "part"
  | "other"
  | "slope"
  | "digits"
  | "times"
  | "divided"
  | "extra"
  | "nearly"
  | "hint",
  string
> &
  Record<"rounded" | "close" | "limit" | "paths" | "length" | "common", number> &
  Record<"places" | "multiples", number[]>;

declare const SLIPS: { wrong: (...numbers: number[]) => number; says: string }[];

declare const SLOPES: {
  name: string;
  value: (operand: number) => number;
  slope: (out: number, operand: number) => number;
}[];

declare const dagre: {
  graphlib: { Graph: new (options: { multigraph: boolean }) => any };
  layout: (graph: any) => void;
};
