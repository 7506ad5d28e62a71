/** One line in the tree of variables. */
export interface Item {
  name: string;
  /** Text; or an expression that is evaluated when the line is shown. */
  value?: string;
  expression?: string;
  /** For the editor's tooltip. */
  type?: string;
  memoryReference?: string;
  children?: () => Item[] | Promise<Item[]>;
  /** Sets it to the typed value, for lines that are not an expression. */
  set?: (text: string) => Promise<void>;
}
