// A table in the page's one style: numbers to the right, a sentence where there is nothing to show.

import { type Child, el } from "../dom";

export interface Column<T> {
  name: string;
  numeric?: boolean;
  /** Left out on narrow screens. */
  wide?: boolean;
  cell: (item: T) => Child;
  tone?: (item: T) => string;
}

export function table<T>(caption: string, columns: Column<T>[], items: T[], rowClass: (item: T) => string = () => ""): HTMLElement {
  const classOf = (column: Column<T>): string => `${column.numeric ? "num" : ""} ${column.wide ? "wide" : ""}`.trim();
  return el(
    "div",
    { class: "table-frame", attrs: { tabindex: "0", role: "region", "aria-label": caption } },
    el(
      "table",
      "",
      el("caption", "visually-hidden", caption),
      el("thead", "", el("tr", "", ...columns.map((column) => el("th", { class: classOf(column), attrs: { scope: "col" } }, column.name)))),
      el(
        "tbody",
        "",
        ...items.map((item) =>
          el("tr", rowClass(item), ...columns.map((column) => el("td", `${classOf(column)} ${column.tone?.(item) ?? ""}`.trim(), column.cell(item)))),
        ),
      ),
    ),
  );
}
