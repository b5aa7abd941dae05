import { parseEdn } from "../clients/edn.ts";
import { parseYaml } from "../clients/yaml.ts";
import { reasonOf, SluiceError, usageError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { parseCopyOptions } from "../formats/copy_options.ts";
import { JsonFields } from "../formats/json_fields.ts";
import { conditionComplaint, readColumnName, readTableName } from "../formats/sql_text.ts";
import { readDataPattern } from "./manifest_pattern.ts";
import { isReference } from "./manifest_secret.ts";
import { ManifestValues } from "./manifest_values.ts";

/** How the files of one directory become rows of one table. */
export interface Manifest {
  /** `table` or `schema.table` as written; `readTableName()` takes it apart. */
  readonly table: string;
  /** The columns that tell rows apart; may be empty for `replace` and `append`. */
  readonly pkColumns: readonly string[];
  /** The columns of the files in their order; of JSON, the keys that are loaded. */
  readonly columns: readonly string[];
  readonly targetUrl: Secret;
  /** COPY options as written, with CSV or JSON added where only `format` says so. */
  readonly options: readonly string[];
  /** Matches as a whole; use {@linkcode isDataFile}. */
  readonly dataPattern: RegExp;
  readonly strategy: "merge" | "replace" | "append";
  /** SQL over `{{table}}`, or `distinct`. */
  readonly stagingSelect?: string | "distinct";
  /** How long one statement may take. */
  readonly timeoutMs: number;
  /**
   * Which of the rows with one key wins: the first in this order, so `updated desc` keeps the newest.
   * Empty: the one of the last file and line.
   */
  readonly orderBy: readonly OrderBy[];
  /** An SQL condition over the columns: rows that meet it delete theirs from the table. */
  readonly deleteWhen?: string;
  readonly onError: "quarantine" | "stop";
  /** What the files are; `csv` stands for all delimited text. */
  readonly format: "csv" | "json" | "baldr";
  readonly preSql: readonly string[];
  readonly postSql: readonly string[];
}

export interface OrderBy {
  readonly column: string;
  readonly descending: boolean;
}

/** The keys of a manifest, the predecessor's first. */
export const manifestKeys = [
  "table",
  "pk-columns",
  "columns",
  "jdbc-url",
  "options",
  "data-pattern",
  "strategy",
  "staging-select",
  "execute-opts",
  "target-url",
  "order-by",
  "delete-when",
  "on-error",
  "format",
  "pre-sql",
  "post-sql",
] as const;

const defaultTimeoutMs = 300_000;
const mostTimeoutMs = 2 ** 31 - 1;
const mostBytes = 256 * 1024;

/**
 * What a file of this name is as a manifest, null when it is none. As the predecessor has it, any name
 * that ends with `manifest.edn` is one; the other kinds are called `manifest.json`, `.yaml` or `.yml`.
 *
 * @param key of the store, with or without its directory.
 */
export function manifestKindOf(key: string): "edn" | "json" | "yaml" | null {
  if (key.endsWith("manifest.edn")) return "edn";
  const name = key.slice(key.lastIndexOf("/") + 1);
  if (name === "manifest.json") return "json";
  return name === "manifest.yaml" || name === "manifest.yml" ? "yaml" : null;
}

/**
 * Whether a file of the directory is to be loaded: `data-pattern` matches the whole of its key, as the
 * predecessor has it, or of its name. A manifest is never data.
 */
export function isDataFile({ dataPattern }: Manifest, key: string): boolean {
  if (manifestKindOf(key) !== null) return false;
  return dataPattern.test(key) || dataPattern.test(key.slice(key.lastIndexOf("/") + 1));
}

/**
 * Reads and checks a manifest. Its keys are those of Blueshift's `manifest.edn`, and a few more; JSON
 * and YAML have the same, written the same way (`pk-columns`, not `pk_columns`).
 *
 * @param name of the file, which tells what it is written in; also for messages.
 * @param resolve finds the secret that `env:NAME` or `file:PATH` stands for.
 * @throws {SluiceError} `usage` naming the key and what to do: an unknown key with the nearest right
 * name, a value that cannot be, two that contradict each other. What `resolve` throws goes through.
 */
export async function readManifest(
  name: string,
  bytes: Uint8Array,
  resolve: (reference: string) => Promise<Secret>,
): Promise<Manifest> {
  const action = `read manifest ${name}`;
  const values = new ManifestValues(action, parsed(action, name, bytes), manifestKeys);
  const strategy = values.word("strategy", ["merge", "replace", "append"]);
  const columns = columnsOf(values, "columns");
  if (columns.length === 0) throw values.wrong("columns", "is missing: name the files' columns");
  const pkColumns = columnsOf(values, "pk-columns");
  refuseOthers(values, "pk-columns", pkColumns, columns);
  if (strategy === "merge" && pkColumns.length === 0) {
    throw values.wrong("pk-columns", "is missing: merge finds the rows to replace by them");
  }
  const stagingSelect = stagingSelectOf(values);
  const table = tableOf(values);
  const targetUrl = await targetUrlOf(values, resolve);
  const deleteWhen = deleteWhenOf(values, strategy, targetUrl);
  return {
    table,
    pkColumns,
    columns,
    targetUrl,
    ...formatOf(values),
    dataPattern: dataPatternOf(values),
    strategy,
    ...(stagingSelect === undefined ? {} : { stagingSelect }),
    timeoutMs: values.inside("execute-opts", ["timeout-millis"])
      ?.count("timeout-millis", mostTimeoutMs) ?? defaultTimeoutMs,
    orderBy: orderByOf(values, columns, pkColumns),
    ...(deleteWhen === undefined ? {} : { deleteWhen }),
    onError: values.word("on-error", ["quarantine", "stop"]),
    preSql: values.texts("pre-sql"),
    postSql: values.texts("post-sql"),
  };
}

function parsed(action: string, name: string, bytes: Uint8Array): unknown {
  const kind = manifestKindOf(name);
  if (kind === null) {
    throw usageError(action, "call it manifest.edn, manifest.json or manifest.yaml");
  }
  if (bytes.length > mostBytes) throw usageError(action, `it is longer than ${mostBytes} bytes`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (kind !== "json") return kind === "edn" ? parseEdn(text) : parseYaml(text);
    const value = JSON.parse(text);
    refuseTwice(action, text);
    return value;
  } catch (thrown) {
    if (thrown instanceof SluiceError && kind === "json") throw thrown;
    // JSON's parser tells what stands around the fault, which may be a password.
    const detail = kind === "json" ? `it is not JSON${placeIn(thrown)}` : reasonOf(thrown);
    throw usageError(action, detail, kind === "json" ? undefined : thrown);
  }
}

/** Refuses a key that stands twice in an object of JSON, whose parser takes the last without a word. */
function refuseTwice(action: string, json: string): void {
  const bytes = new TextEncoder().encode(json.trim());
  if (bytes[0] !== 0x7b) return;
  const fields = new JsonFields();
  const seen = new Set<string>();
  fields.begin(bytes, 0);
  while (fields.next()) {
    const key = new TextDecoder().decode(bytes.subarray(fields.keyStart, fields.keyEnd));
    if (seen.has(key)) throw usageError(action, `key "${key}" stands twice`);
    seen.add(key);
  }
}

/** The line and column that JSON's parser named. */
function placeIn(thrown: unknown): string {
  const [place] = /line \d+ column \d+/.exec(String(thrown)) ?? [];
  return place === undefined ? "" : `, see ${place}`;
}

function tableOf(values: ManifestValues): string {
  const table = values.text("table");
  if (table === undefined) throw values.wrong("table", "is missing: name the table to load into");
  return within(values, "table", () => (readTableName(table), table));
}

/** Runs a check whose error is to name the key. */
function within<T>(values: ManifestValues, key: string, check: () => T): T {
  try {
    return check();
  } catch (thrown) {
    if (thrown instanceof SluiceError) {
      throw values.wrong(key, `is wrong: ${reasonOf(thrown)}`, thrown);
    }
    throw thrown;
  }
}

function columnsOf(values: ManifestValues, key: string): readonly string[] {
  const names = values.texts(key).map((text) => {
    const name = readColumnName(text);
    if (name === undefined) throw values.wrongValue(key, "give columns' names");
    return name;
  });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw values.wrong(key, `names "${twice}" twice`);
  return names;
}

function refuseOthers(
  values: ManifestValues,
  key: string,
  names: readonly string[],
  columns: readonly string[],
): void {
  const other = names.find((name) => !columns.includes(name));
  if (other === undefined) return;
  throw values.wrong(key, `names "${other}", which is none of the columns: add it to columns`);
}

async function targetUrlOf(
  values: ManifestValues,
  resolve: (reference: string) => Promise<Secret>,
): Promise<Secret> {
  if (values.has("jdbc-url") && values.has("target-url")) {
    throw values.wrong("target-url", "and jdbc-url are the same thing: give one of them");
  }
  const key = values.has("jdbc-url") ? "jdbc-url" : "target-url";
  const written = values.hiddenText(key)?.trim();
  if (written === undefined) {
    throw values.wrong("target-url", "is missing: tell where the table is");
  }
  const url = isReference(written) ? await resolve(written) : new Secret(written);
  if (
    /^(jdbc:(postgresql|redshift):\/\/|(postgres(ql)?|redshift):\/\/|pglite:)./.test(url.reveal())
  ) {
    return url;
  }
  const what = isReference(written) ? `${key} (${written})` : key;
  throw values.wrong(what, "is no URL of a warehouse: give redshift://, postgres:// or pglite:DIR");
}

function formatOf(values: ManifestValues): Pick<Manifest, "format" | "options"> {
  const options = values.texts("options");
  const check = (all: readonly string[]) =>
    within(values, "options", () => parseCopyOptions(all, "redshift"));
  const written = check(options).format;
  if (!values.has("format")) return { format: written === "json" ? "json" : "csv", options };
  const format = values.word("format", ["csv", "json", "baldr"]);
  const wanted = format === "csv" ? "csv" : "json";
  if (written === wanted) return { format, options };
  if (written !== "delimited") {
    throw values.wrongValue("format", `options say ${written.toUpperCase()}: take one of them out`);
  }
  const completed = [wanted === "csv" ? "CSV" : "JSON 'auto'", ...options];
  check(completed);
  return { format, options: completed };
}

function dataPatternOf(values: ManifestValues): RegExp {
  const pattern = readDataPattern(values.text("data-pattern") ?? ".*");
  if (typeof pattern === "string") throw values.wrongValue("data-pattern", pattern);
  return pattern;
}

function stagingSelectOf(values: ManifestValues): string | undefined {
  const select = values.text("staging-select");
  if (select === undefined) return undefined;
  if (/^:?distinct$/.test(select)) return "distinct";
  if (select.includes("{{table}}")) return select;
  throw values.wrongValue(
    "staging-select",
    "give distinct, or SQL that has {{table}} where the staging table is meant",
  );
}

function deleteWhenOf(
  values: ManifestValues,
  strategy: string,
  targetUrl: Secret,
): string | undefined {
  const condition = values.text("delete-when");
  if (condition === undefined) return undefined;
  if (strategy !== "merge") {
    throw values.wrong("delete-when", `contradicts strategy ${strategy}: only merge deletes rows`);
  }
  const isRedshift = /^(jdbc:)?redshift:/.test(targetUrl.reveal());
  const complaint = conditionComplaint(condition, isRedshift ? "redshift" : "postgres");
  if (complaint !== undefined) throw values.wrongValue("delete-when", complaint);
  return condition;
}

function orderByOf(
  values: ManifestValues,
  columns: readonly string[],
  pkColumns: readonly string[],
): readonly OrderBy[] {
  const orders = values.texts("order-by").map((text): OrderBy => {
    // A column whose own name ends with "desc" is found by its whole name first.
    const whole = readColumnName(text);
    if (whole !== undefined && columns.includes(whole)) return { column: whole, descending: false };
    const [, name = text, way = "asc"] = /^(.*?)\s+(asc|desc)$/is.exec(text.trim()) ?? [];
    const column = readColumnName(name);
    if (column === undefined) throw values.wrongValue("order-by", `give columns: "updated desc"`);
    return { column, descending: way.toLowerCase() === "desc" };
  });
  refuseOthers(values, "order-by", orders.map(({ column }) => column), columns);
  if (orders.length > 0 && pkColumns.length === 0) {
    throw values.wrong("order-by", "orders rows with the same key: give pk-columns too");
  }
  return orders;
}
