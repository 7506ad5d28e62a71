/** One line of the tree of values. */
export interface Item {
  name: string;
  /** Text; or an expression that is evaluated when the line is shown. */
  value?: string;
  expression?: string;
  /** For the editor's tooltip. */
  type?: string;
  memoryReference?: string;
  children?: () => Item[] | Promise<Item[]>;
  /** Sets it to what was typed, for what is no expression. */
  set?: (text: string) => Promise<void>;
}
