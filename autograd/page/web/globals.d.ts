// What the page declares before its modules run.

declare const ACTIVATIONS: (
  | { each: (z: number) => number; together: null }
  | { each: null; together: (...sums: number[]) => number[] }
)[];

declare const SHARES: ((...outputs: number[]) => number[]) | null;

declare const OPERATIONS: Record<string, import("./graph.js").Operation>;

declare const QUIZ: {
  sign: string;
  kept: string;
  path: string;
  hint: string;
  rounded: number;
  close: number;
  limit: number;
};

declare const SLIPS: {
  wrong: (local: number, out: number, operand: number, misplaced: number) => number;
  says: string;
}[];

declare const dagre: {
  graphlib: { Graph: new (options: { multigraph: boolean }) => any };
  layout: (graph: any) => void;
};
