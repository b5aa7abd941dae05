/** A field of a schema, as the API has it. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly fields?: readonly Field[];
  readonly [other: string]: unknown;
}

/** Holds the time of a row's partition where the table has no column for it. */
export const hiddenColumn = "sluice_partition_time";

const olderNames: Readonly<Record<string, string>> = {
  INT64: "INTEGER",
  FLOAT64: "FLOAT",
  BOOL: "BOOLEAN",
  STRUCT: "RECORD",
};

/** The schema with the names of types that BigQuery answers with. */
export function normalized(fields: readonly Field[]): Field[] {
  return fields.map((field) => ({
    ...field,
    type: olderNames[field.type.toUpperCase()] ?? field.type.toUpperCase(),
    ...(field.fields ? { fields: normalized(field.fields) } : {}),
  }));
}

/**
 * Types that the emulator keeps as texts: DuckDB's numbers have 38 digits at most, and its JSON has no
 * bytes. BYTES are base64, as in the API's rows.
 */
const keptAsText = ["BIGNUMERIC", "BYTES"];

/** The columns that a table has in the emulator. */
export function emulated(fields: readonly Field[], hasHidden: boolean): Field[] {
  const kept = withText(fields, keptAsText);
  return hasHidden ? [...kept, { name: hiddenColumn, type: "TIMESTAMP" }] : kept;
}

/** What the emulator cannot write or read back exactly in a format, and BigQuery writes as text. */
const textIn: Readonly<Record<string, readonly string[]>> = {
  AVRO: ["GEOGRAPHY", "INTERVAL"],
  PARQUET: ["GEOGRAPHY", "INTERVAL"],
  NEWLINE_DELIMITED_JSON: ["NUMERIC"],
};

/** The columns as they are written in a format; undefined when they need no change. */
export function written(fields: readonly Field[], format: string): Field[] | undefined {
  const types = [...textIn[format] ?? []];
  // Its Avro gives every decimal a type of the field's name, and no two may be the same.
  const numbers = namesOf(fields, "NUMERIC");
  if (format === "AVRO" && new Set(numbers).size < numbers.length) types.push("NUMERIC");
  return hasType(fields, types) ? withText(emulated(fields, false), types) : undefined;
}

/** Whether a column or a field within one has one of these types. */
export function hasType(fields: readonly Field[], types: readonly string[]): boolean {
  return fields.some((one) => types.includes(one.type) || hasType(one.fields ?? [], types));
}

function namesOf(fields: readonly Field[], type: string): string[] {
  return fields.flatMap((one) => [
    ...(one.type === type ? [one.name] : []),
    ...namesOf(one.fields ?? [], type),
  ]);
}

function withText(fields: readonly Field[], types: readonly string[]): Field[] {
  return fields.map(({ name, type, mode, fields, rangeElementType }) => ({
    name,
    type: types.includes(type) ? "STRING" : type,
    ...(mode === undefined ? {} : { mode }),
    ...(fields ? { fields: withText(fields, types) } : {}),
    ...(rangeElementType === undefined ? {} : { rangeElementType }),
  }));
}

/** The columns for SQL: "`a`, `b`". */
export function columnsSql(fields: readonly Field[]): string {
  return fields.map(({ name }) => `\`${name}\``).join(", ");
}
