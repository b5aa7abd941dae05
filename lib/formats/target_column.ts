/** A column of the table to load into, as far as COPY's options treat columns differently. */
export interface TargetColumn {
  readonly name: string;
  /** `varchar` and `char` take blank fields as they are; any other has NULL for them. */
  readonly kind: "varchar" | "char" | "number" | "date" | "time" | "other";
  /** The length in the column's definition, which Redshift counts in bytes; null without one. */
  readonly limitBytes: number | null;
  /** Digits behind the decimal point of `numeric(precision, scale)`; null when there is no limit. */
  readonly scale: number | null;
}

const texts = /^(character varying|varchar|nvarchar|text|citext|name)\b(?!.*\[\])/;
const chars = /^(character|char|nchar|bpchar|"char")\b(?!.*\[\])/;
const numbers = /^(numeric|decimal)\b(?!.*\[\])/;

/**
 * What a column is, by the name that the server gives its type: `character varying(20)`,
 * `numeric(8,2)`, `timestamp without time zone`.
 */
export function targetColumnOf({ name, type }: { name: string; type: string }): TargetColumn {
  const lower = type.toLowerCase().trim();
  const [, first, second] = /\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\)/.exec(lower) ?? [];
  const length = first === undefined ? null : Number(first);
  if (texts.test(lower)) return { name, kind: "varchar", limitBytes: length, scale: null };
  if (chars.test(lower)) return { name, kind: "char", limitBytes: length, scale: null };
  if (numbers.test(lower)) {
    const scale = length === null ? null : Math.max(0, Number(second ?? 0));
    return { name, kind: "number", limitBytes: null, scale };
  }
  const kind = lower === "date" ? "date" : /^timestamp/.test(lower) ? "time" : "other";
  return { name, kind, limitBytes: null, scale: null };
}
