import type { TableSettings } from "./bigquery_catalog.ts";
import type { Field } from "./bigquery_schema.ts";
import type { RowsOfTable } from "./replicate_rig.ts";

/** A table of some kind, and how its copying has to come out. */
export interface TableKind {
  readonly name: string;
  readonly settings: TableSettings;
  readonly rows: RowsOfTable;
  /** Why it is not copied; undefined: it is. */
  readonly refused?: RegExp;
  /** Settings that the copy has in place of its source's: what belongs to a location. */
  readonly mapped?: Readonly<Record<string, unknown>>;
}

/** A type with values at its ends. */
interface Type {
  readonly type: string;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly values: readonly unknown[];
}

const bigMost = "578960446186580977117854925043439539266.34992332820282019728792003956564819967";

const types: Readonly<Record<string, Type>> = {
  string: {
    type: "STRING",
    values: ["", 'a<&>"\\ é😀\n\t', "  blanks  ", "null", "x".repeat(5_000)],
  },
  bytes: { type: "BYTES", values: ["", "AA==", "AP8QYWJj", "/////w=="] },
  integer: { type: "INTEGER", values: ["-9223372036854775808", "9223372036854775807", "0"] },
  float: { type: "FLOAT", values: [0.1, -1.7976931348623157e308, 5e-324, 123456789.123456789] },
  boolean: { type: "BOOLEAN", values: [true, false] },
  numeric: {
    type: "NUMERIC",
    values: ["99999999999999999999999999999.999999999", "-0.000000001", "1.50"],
  },
  bignumeric: { type: "BIGNUMERIC", values: [bigMost, `-${bigMost}`, "0.1"] },
  timestamp: {
    type: "TIMESTAMP",
    values: ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-02-03T04:05:06.123456Z"],
  },
  date: { type: "DATE", values: ["0001-01-01", "9999-12-31", "2024-02-29"] },
  time: { type: "TIME", values: ["00:00:00", "23:59:59.999999"] },
  datetime: {
    type: "DATETIME",
    values: ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "2026-02-03T04:05:06.1"],
  },
  geography: {
    type: "GEOGRAPHY",
    values: ["POINT(1.123456789012345 2.25)", "LINESTRING(1 1, 2 2)"],
  },
  json: { type: "JSON", values: [{ a: [1, null, "x"], b: {} }, [true, 1.5], "text"] },
  interval: {
    type: "INTERVAL",
    values: ["1 year 2 months 3 days 04:05:06.5", "0 year 0 months -3 days 00:00:00"],
  },
  range_date: {
    type: "RANGE",
    more: { rangeElementType: { type: "DATE" } },
    values: [{ start: "2026-01-01", end: "2026-02-01" }, { start: null, end: "2026-01-01" }],
  },
  range_datetime: {
    type: "RANGE",
    more: { rangeElementType: { type: "DATETIME" } },
    values: [{ start: "2026-01-01T00:00:00", end: "2026-02-01T01:02:03.5" }],
  },
  range_timestamp: {
    type: "RANGE",
    more: { rangeElementType: { type: "TIMESTAMP" } },
    values: [{ start: "2026-01-01T00:00:00Z", end: null }],
  },
};

/** Where a value of a type may be: a column, several of them, within a record, within many. */
const places: Readonly<
  Record<string, (type: Type) => { fields: Field[]; rows: Record<string, unknown>[] }>
> = {
  column: ({ type, more, values }) => ({
    fields: [id, { name: "val", type, ...more }],
    rows: numbered([...values.map((val) => ({ val })), { val: null }]),
  }),
  list: ({ type, more, values }) => ({
    fields: [id, { name: "vals", type, mode: "REPEATED", ...more }],
    rows: numbered([{ vals: values }, { vals: [] }]),
  }),
  record: ({ type, more, values }) => ({
    fields: [id, {
      ...{ name: "rec", type: "RECORD" },
      fields: [
        { name: "val", type, ...more },
        { name: "below", type: "RECORD", fields: [{ name: "val2", type, ...more }] },
      ],
    }],
    rows: numbered(values.map((val) => ({ rec: { val, below: { val2: values[0] } } }))),
  }),
  records: ({ type, more, values }) => ({
    fields: [id, {
      ...{ name: "recs", type: "RECORD", mode: "REPEATED" },
      fields: [{ name: "val", type, ...more }, {
        ...{ name: "vals", type, mode: "REPEATED" },
        ...more,
      }],
    }],
    rows: numbered([{ recs: values.map((val) => ({ val, vals: values })) }, { recs: [] }]),
  }),
};

const id: Field = { name: "id", type: "INTEGER", mode: "REQUIRED" };

function numbered(rows: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return rows.map((row, i) => ({ id: i, ...row }));
}

/** A table for each type in each place. */
export const typeKinds: readonly TableKind[] = Object.entries(types).flatMap(([name, type]) =>
  Object.entries(places).map(([place, make]) => {
    const { fields, rows } = make(type);
    return { name: `${name}_${place}`, settings: { schema: { fields } }, rows };
  })
);

const dated: Field[] = [
  id,
  { name: "day", type: "DATE" },
  { name: "moment", type: "TIMESTAMP" },
  { name: "local", type: "DATETIME" },
  { name: "who", type: "STRING" },
];
const datedRows = numbered([
  { day: "2026-01-01", moment: "2026-01-01T23:59:59Z", local: "2026-01-01T01:00:00", who: "a" },
  { day: "2026-01-02", moment: "2025-12-31T00:00:00Z", local: "2025-01-01T01:00:00", who: "b" },
  { day: null, moment: null, local: null, who: null },
]);

function byTime(name: string, timePartitioning: { type: string; field: string }): TableKind {
  return { name, settings: { schema: { fields: dated }, timePartitioning }, rows: datedRows };
}

function byLoading(type: string, partitions: readonly [string, string]): TableKind {
  const [one, other] = partitions;
  return {
    name: `loaded_by_${type.toLowerCase()}`,
    settings: { schema: { fields: dated }, timePartitioning: { type } },
    rows: { [one]: datedRows, [other]: datedRows.slice(0, 1) },
  };
}

const expiringDays = { type: "DAY", field: "day", expirationMs: "315360000000" };

/** Tables in partitions of every sort. */
export const partitionKinds: readonly TableKind[] = [
  byTime("date_by_day", { type: "DAY", field: "day" }),
  byTime("date_by_month", { type: "MONTH", field: "day" }),
  byTime("moment_by_hour", { type: "HOUR", field: "moment" }),
  byTime("moment_by_year", { type: "YEAR", field: "moment" }),
  byTime("local_by_day", { type: "DAY", field: "local" }),
  byLoading("HOUR", ["2026010100", "2026010123"]),
  byLoading("DAY", ["20260101", "20251231"]),
  byLoading("MONTH", ["202601", "202512"]),
  byLoading("YEAR", ["2026", "2025"]),
  {
    name: "by_range",
    settings: {
      schema: { fields: dated },
      rangePartitioning: { field: "id", range: { start: "0", end: "2", interval: "1" } },
    },
    rows: datedRows,
  },
  {
    name: "expiring_partitions",
    settings: {
      schema: { fields: dated },
      timePartitioning: expiringDays,
      requirePartitionFilter: true,
      clustering: { fields: ["who", "id"] },
    },
    rows: datedRows,
  },
];

function withSettings(
  name: string,
  settings: Readonly<Record<string, unknown>>,
  fields: readonly Field[] = dated,
): TableKind {
  return { name, settings: { schema: { fields }, ...settings }, rows: datedRows };
}

const keyOf = (place: string) => `projects/shop/locations/${place}/keyRings/r/cryptoKeys/k`;
const tagOf = (place: string, tag: string) =>
  `projects/shop/locations/${place}/taxonomies/1/policyTags/${tag}`;
const tagged = (tag: string): Field[] =>
  dated.map((field) => field.name === "who" ? { ...field, policyTags: { names: [tag] } } : field);

/** For the command: what some of the tables need. */
export const mappings = [
  ...["--kms-map", `${keyOf("us")}=${keyOf("eu")}`],
  ...["--policy-tag-map", `${tagOf("us", "1")}=${tagOf("eu", "7")}`],
];
const otherKey = keyOf("us").replace(/k$/, "other");

/** The project of the datasets: foreign keys name it. */
export const kindsProject = "kinds";
const foreignKeysTo = (datasetId: string) => [{
  name: "of_primary_key",
  referencedTable: { projectId: kindsProject, datasetId, tableId: "primary_key" },
  columnReferences: [{ referencingColumn: "id", referencedColumn: "id" }],
}];

/** Tables with everything that may be set besides rows. */
export const settingKinds: readonly TableKind[] = [
  withSettings("labelled", { labels: { team: "web", empty: "" } }),
  withSettings("described", { description: "of\nvisits", friendlyName: "Visits é" }),
  withSettings("expiring", { expirationTime: "4102444800000" }),
  withSettings("clustered", { clustering: { fields: ["who", "day"] } }),
  withSettings("collated", { defaultCollation: "und:ci", defaultRoundingMode: "ROUND_HALF_EVEN" }),
  withSettings("primary_key", { tableConstraints: { primaryKey: { columns: ["id"] } } }),
  {
    ...withSettings("foreign_key", { tableConstraints: { foreignKeys: foreignKeysTo("web_us") } }),
    mapped: { tableConstraints: { foreignKeys: foreignKeysTo("web_eu") } },
  },
  withSettings(
    "described_columns",
    {},
    dated.map((one) => ({ ...one, description: `a ${one.name}` })),
  ),
  withSettings(
    "defaults",
    {},
    dated.map((one) =>
      one.name === "who" ? { ...one, defaultValueExpression: "'nobody'", maxLength: "20" } : one
    ),
  ),
  withSettings("required", {}, [{ ...id, mode: "REQUIRED" }, ...dated.slice(1)]),
  {
    name: "sized_numbers",
    settings: {
      schema: {
        fields: [id, { name: "num", type: "NUMERIC", precision: "10", scale: "2" }, {
          ...{ name: "big", type: "BIGNUMERIC", precision: "40", scale: "10" },
        }],
      },
    },
    rows: numbered([{ num: "12345678.91", big: "123456789012345678901234567890.0123456789" }]),
  },
  { name: "without_rows", settings: { schema: { fields: dated }, labels: { a: "b" } }, rows: [] },
  {
    name: "without_rows_in_partitions",
    settings: { schema: { fields: dated }, timePartitioning: { type: "DAY" }, description: "d" },
    rows: [],
  },
  {
    name: "other_letters",
    settings: { schema: { fields: [id, { name: "größe", type: "INTEGER" }] } },
    rows: numbered([{ größe: "1" }, { größe: null }]),
  },
  { name: "of_one_row", settings: { schema: { fields: [id] } }, rows: [{ id: 1 }] },
  {
    name: "of_many_rows",
    settings: { schema: { fields: [id] } },
    rows: numbered(Array.from({ length: 9 }, () => ({}))),
  },
  {
    ...withSettings("with_key", { encryptionConfiguration: { kmsKeyName: keyOf("us") } }),
    mapped: { encryptionConfiguration: { kmsKeyName: keyOf("eu") } },
  },
  {
    ...withSettings("with_tag", {}, tagged(tagOf("us", "1"))),
    mapped: { schema: { fields: tagged(tagOf("eu", "7")) } },
  },
];

/** Tables of which no copy would be right. */
export const refusedKinds: readonly TableKind[] = [
  {
    ...withSettings("with_other_key", { encryptionConfiguration: { kmsKeyName: otherKey } }),
    refused: /its key .*\/other is of another location; name its counterpart with --kms-map/,
  },
  {
    ...withSettings("with_other_tag", {}, tagged(tagOf("us", "2"))),
    refused: /column who: its policy tag .*\/2 has no counterpart; name it with --policy-tag-map/,
  },
  {
    name: "json_and_range",
    settings: {
      schema: {
        fields: [
          ...[id, { name: "doc", type: "JSON" }],
          { name: "span", type: "RANGE", rangeElementType: { type: "DATE" } },
        ],
      },
    },
    rows: numbered([{ doc: { a: 1 }, span: { start: "2026-01-01", end: "2026-01-02" } }]),
    refused: /no format carries it exactly; avro: column span of the type RANGE/,
  },
  {
    name: "json_in_other_letters",
    settings: { schema: { fields: [id, { name: "größe", type: "JSON" }] } },
    rows: numbered([{ größe: { a: 1 } }]),
    refused: /no format carries it exactly; avro: column größe: Avro takes no such name/,
  },
];
