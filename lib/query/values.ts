import type { Column } from "../clients/warehouse/warehouse.ts";

const numbers = new Set([
  ...["int2", "int4", "int8", "float4", "float8", "numeric", "oid", "money", "xid", "xid8"],
]);

/** Whether the values of a type are numbers, which stand at the right of their column. */
export function isNumber({ type }: Column): boolean {
  return numbers.has(type);
}

/** Whether the text of a value is a number as JSON writes it, too: not NaN, Infinity, or $5. */
export function isJsonNumber(value: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value);
}

/** The names of columns, each there once: a second `a` is `a_1`. */
export function distinctNames(columns: readonly Column[]): string[] {
  const taken = new Set(columns.map(({ name }) => name));
  const seen = new Set<string>();
  return columns.map(({ name }) => {
    if (!seen.has(name)) {
      seen.add(name);
      return name;
    }
    let number = 1;
    while (taken.has(`${name}_${number}`)) number++;
    const distinct = `${name}_${number}`;
    taken.add(distinct);
    seen.add(distinct);
    return distinct;
  });
}

/** A number with what it counts: `1 row`, `1,000,000 rows`. */
export function countText(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}
