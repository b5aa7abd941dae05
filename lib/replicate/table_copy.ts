import type { TableResource } from "../clients/bigquery/bigquery.ts";
import type { Access } from "./access.ts";
import { foreignKeysOf, primaryKeyOf } from "./constraints.ts";
import { labelsOf, type Marks, ownLabels } from "./marks.ts";
import type { Dataset } from "./settings.ts";

/** Carried as they are, by the last change of a table or when it is made. */
const settingsAsTheyAre = [
  ...["description", "friendlyName", "expirationTime", "requirePartitionFilter"],
  ...["defaultCollation", "defaultRoundingMode", "maxStaleness", "resourceTags"],
] as const;

/** How a table is laid out; fixed when it is made. */
const layout = ["timePartitioning", "rangePartitioning", "clustering"] as const;

/** Told by BigQuery itself, or read by us. */
const ownOrTold = new Set<string>([
  ...["kind", "etag", "id", "selfLink", "tableReference", "type", "location", "schema", "labels"],
  ...["creationTime", "lastModifiedTime", "numRows", "numBytes", "numLongTermBytes"],
  ...["encryptionConfiguration", "tableConstraints", "streamingBuffer", "partitionDefinition"],
  ...settingsAsTheyAre,
  ...layout,
]);

/** The partitioning as it is set when a table is made; the filter is a setting of the table. */
function layoutOf(source: TableResource): Record<string, unknown> {
  const found = picked(source, layout);
  if (source.timePartitioning === undefined) return found;
  const { requirePartitionFilter: _old, ...timePartitioning } = source.timePartitioning;
  return { ...found, timePartitioning };
}

/** The most that BigQuery takes, 292 million years. */
const neverMs = "9223372036828800000";

/**
 * As {@linkcode layoutOf}, for a table that is made. Where the dataset's default lets partitions expire, the
 * older ones would be gone before the last change tells them to stay.
 */
export function layoutToMake(
  source: TableResource,
  isExpiring: boolean,
): Record<string, unknown> {
  const found = layoutOf(source);
  const { timePartitioning } = source;
  if (!isExpiring || timePartitioning === undefined) return found;
  const lasting = { expirationMs: neverMs, ...found["timePartitioning"] as object };
  return { ...found, timePartitioning: lasting };
}

/** Whether rows are in partitions by the time of their loading, which no file carries. */
export function isPartitionedByIngestion({ timePartitioning }: TableResource): boolean {
  return timePartitioning !== undefined && timePartitioning.field === undefined;
}

export function isPartitioned(
  { timePartitioning, rangePartitioning }: Pick<
    TableResource,
    "timePartitioning" | "rangePartitioning"
  >,
): boolean {
  return timePartitioning !== undefined || rangePartitioning !== undefined;
}

/** What a load job is told about the table that it makes. */
export function loadTarget(
  source: TableResource,
  access: Access,
  marks: Marks,
  isExpiring: boolean,
): Record<string, unknown> {
  return {
    ...loadReplacement(source, access, isExpiring),
    destinationTableProperties: {
      ...picked(source, ["description", "friendlyName"]),
      labels: { ...ownLabels(source.labels), ...labelsOf(marks) },
    },
  };
}

/** As {@linkcode loadTarget}, of a table that is there and whose rows are replaced. */
export function loadReplacement(
  source: TableResource,
  access: Access,
  isExpiring: boolean,
): Record<string, unknown> {
  return {
    schema: { fields: access.fields },
    ...layoutToMake(source, isExpiring),
    ...encryptionOf(access, "destinationEncryptionConfiguration"),
  };
}

/** The table for tables.insert, without rows. */
export function newTable(
  source: TableResource,
  access: Access,
  marks: Marks,
  isExpiring: boolean,
): Record<string, unknown> {
  return {
    ...layoutToMake(source, isExpiring),
    ...picked(source, settingsAsTheyAre),
    schema: { fields: access.fields },
    labels: { ...ownLabels(source.labels), ...labelsOf(marks) },
    ...encryptionOf(access, "encryptionConfiguration"),
    ...primaryKeyOf(source.tableConstraints),
  };
}

/**
 * The last change of a copy, for tables.patch: everything that its job could not set, and the marks.
 *
 * @param before what was there before the copy, whose settings the source may not have.
 * @param isExpiring tables of the destination's dataset expire unless they are told otherwise.
 */
export function finishingPatch(
  source: TableResource,
  access: Access,
  marks: Marks,
  before: TableResource | null,
  isExpiring = false,
): Record<string, unknown> {
  const gone = Object.fromEntries(
    settingsAsTheyAre.flatMap((name) =>
      before?.[name] === undefined || source[name] !== undefined ? [] : [[name, null]]
    ),
  );
  const labels: Record<string, string | null> = {};
  for (const name of Object.keys(before?.labels ?? {})) labels[name] = null;
  // Set while it was made; null takes it away.
  labels["sluice_state"] = null;
  Object.assign(labels, ownLabels(source.labels), labelsOf(marks));
  const { timePartitioning } = layoutOf(source) as { timePartitioning?: object };
  return {
    ...gone,
    ...(isExpiring ? { expirationTime: null } : {}),
    ...picked(source, settingsAsTheyAre),
    ...(timePartitioning === undefined ? {} : {
      timePartitioning: { ...(isExpiring ? { expirationMs: null } : {}), ...timePartitioning },
    }),
    schema: { fields: access.fields },
    labels,
    ...primaryKeyOf(source.tableConstraints),
  };
}

/** Marks a copy that did not come out equal, so that the next run makes it anew. */
export function wrongPatch(marks: Marks): Record<string, unknown> {
  return { labels: labelsOf({ ...marks, state: "wrong" }) };
}

/** Whether rows may replace those of this table: its partitions have to be cut in the same way. */
export function layoutConflict(source: TableResource, there: TableResource): string | null {
  const cut = ({ timePartitioning, rangePartitioning }: TableResource) =>
    JSON.stringify([
      timePartitioning && [timePartitioning.type, timePartitioning.field ?? ""],
      rangePartitioning && [rangePartitioning.field, rangePartitioning.range],
    ]);
  if (cut(source) === cut(there)) return null;
  return "the destination is partitioned in another way, which no change can mend; drop it there";
}

/** What of a table is not in its copy, a sentence each. */
export function lossesOfCopy(
  source: TableResource,
  datasets: { readonly source: Dataset },
): string[] {
  const losses = Object.keys(source).filter((name) => !ownOrTold.has(name))
    .filter((name) => name !== "cloneDefinition")
    .map((name) => `${name} is not carried`);
  if (source["cloneDefinition"] !== undefined) losses.push("the copy of a clone is a full table");
  if (source.streamingBuffer !== undefined) {
    const rows = source.streamingBuffer.estimatedRows ?? "some";
    losses.push(`${rows} rows in the streaming buffer are not copied`);
  }
  for (const { name, table } of foreignKeysOf(source.tableConstraints, datasets.source).foreign) {
    losses.push(`the foreign key ${name} to ${table} is not carried: it is in another dataset`);
  }
  return losses;
}

/** These fields of a resource, as far as it has them. */
export function picked(
  from: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name) => from[name] === undefined ? [] : [[name, from[name]]]),
  );
}

/** The key, in the field that has this name here and another one there. */
export function encryptionOf({ kmsKeyName }: Access, field: string): Record<string, unknown> {
  return kmsKeyName === null ? {} : { [field]: { kmsKeyName } };
}
