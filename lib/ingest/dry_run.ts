import type { StoredObject } from "../clients/store/store.ts";
import { faultOf, reasonOf, SluiceError } from "../core/errors.ts";
import { type CopyOptions, parseCopyOptions } from "../formats/copy_options.ts";
import { checkHeader, type HeaderVerdict } from "../formats/header_check.ts";
import { quoteTable, readTableName } from "../formats/sql_text.ts";
import type { BadFile } from "./bad_file.ts";
import { checkDirectories, type CheckedDirectory, type CheckResult } from "./check.ts";
import type { Copier } from "./copier.ts";
import type { DirectoryTools } from "./directory.ts";
import { readBeginning } from "./file_beginning.ts";
import { isDataFile } from "./manifest.ts";
import { openCopier } from "./open_copier.ts";
import { applySql, lockSql, nullKeySql, type SqlPlan, stageSql } from "./sql_load.ts";
import { dialectOf } from "./target.ts";

/** What a load of one directory would do. */
export interface DryDirectory {
  readonly directory: string;
  readonly manifestKey: string;
  readonly table: string;
  /** Without the password. */
  readonly targetUrl: string;
  readonly strategy: string;
  /** All data files, in the order in which they would be loaded. */
  readonly files: readonly StoredObject[];
  /** Those that the ledger has: they would only be deleted. */
  readonly loaded: ReadonlySet<StoredObject>;
  /** False: there is no ledger table yet; the first load makes it. */
  readonly hasLedger: boolean;
  /** Files that data-pattern leaves out. */
  readonly others: number;
  /** What the header line of the first file to load says; null when there is none to load. */
  readonly header: HeaderVerdict | null;
  /** How many bytes the files to load are when they are decompressed, by the first of them. */
  readonly textBytes: number;
  /** The statements in their order; PostgreSQL's savepoints are left out. */
  readonly sql: readonly string[];
  /** Files that the server would not load (Redshift's NOLOAD); null where it cannot be asked. */
  readonly bad: readonly BadFile[] | null;
}

/** What a dry run found. */
export interface DryResult extends CheckResult {
  /** Whether files would be moved aside, or a header line is another one than the columns. */
  readonly isPartial: boolean;
}

/**
 * Tells for every directory what a load would do. Nothing is written, neither into the database nor,
 * but for the list of files that Redshift's COPY reads and that is removed again, into the store.
 */
export async function dryRun(
  tools: DirectoryTools,
  tell: (directory: DryDirectory) => Promise<void>,
): Promise<DryResult> {
  let isPartial = false;
  const result = await checkDirectories(tools, async (checked) => {
    const found = await dryDirectory(tools, checked);
    if (found.header?.kind === "different" || (found.bad?.length ?? 0) > 0) isPartial = true;
    await tell(found);
  });
  return { ...result, isPartial };
}

async function dryDirectory(tools: DirectoryTools, checked: CheckedDirectory) {
  const { unit, manifest, warehouse, session, ledger } = checked;
  // Whatever is wrong with us: the server writes nothing.
  if (warehouse.kind !== "redshift") {
    await session.execute("SET default_transaction_read_only TO on");
  }
  const files = unit.files.filter(({ key }) => isDataFile(manifest, key));
  const hasLedger = await ledger.ensure(session, true);
  const known = hasLedger ? await ledger.known(session, files) : null;
  const loaded = new Set(files.filter((file) => known?.has(file)));
  const open = files.filter((file) => !loaded.has(file));
  const plan: SqlPlan = {
    ...manifest,
    target: readTableName(manifest.table),
    kind: warehouse.kind,
  };
  const copier = copierOf(tools, checked, plan);
  const options = parseCopyOptions(manifest.options, dialectOf(warehouse.kind));
  const { header, ratio } = await lookAt(tools, checked, options, open[0]);
  return {
    directory: unit.directory,
    manifestKey: unit.manifest.key,
    table: quoteTable(plan.target),
    targetUrl: warehouse.url,
    strategy: manifest.strategy,
    ...{ files, loaded, hasLedger, header },
    others: unit.files.length - files.length,
    textBytes: Math.round(ratio * open.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
    sql: open.length === 0 ? [] : await sqlOf(checked, plan, copier, open, hasLedger),
    bad: open.length === 0 ? null : await copier.dryRun?.(open) ?? null,
  };
}

function copierOf(
  { store, world, settings: { iamRole } }: DirectoryTools,
  { session, manifest, columns }: CheckedDirectory,
  plan: SqlPlan,
): Copier {
  return openCopier({
    ...{ session, plan, manifest, columns, store, world, iamRole },
    restart: () => {
      const detail = "a dry run has no transaction to begin anew";
      return Promise.reject(new SluiceError("load", "permanent", detail));
    },
  });
}

/** Reads the beginning of the first file. */
async function lookAt(
  { store }: DirectoryTools,
  { manifest }: CheckedDirectory,
  options: CopyOptions,
  first: StoredObject | undefined,
): Promise<{ header: HeaderVerdict | null; ratio: number }> {
  const isText = options.format === "csv" || options.format === "delimited";
  const isReadable = manifest.format !== "baldr" && options.format !== "columnar" &&
    options.compression !== "lzop";
  if (first === undefined || !isReadable) return { header: null, ratio: 1 };
  try {
    const { bytes, isWhole, ratio } = await readBeginning(store, first, options);
    const header = isText ? checkHeader(bytes, options, manifest.columns, isWhole) : null;
    return { header, ratio };
  } catch (thrown) {
    if (faultOf(thrown) !== "corrupt") throw thrown;
    const how = options.compression.toUpperCase();
    const complaint = `${first.key} is no ${how} as the options say: ${reasonOf(thrown)}`;
    return { header: { kind: "different", complaint }, ratio: 1 };
  }
}

async function sqlOf(
  { manifest, ledger }: CheckedDirectory,
  plan: SqlPlan,
  copier: Copier,
  files: readonly StoredObject[],
  hasLedger: boolean,
): Promise<readonly string[]> {
  const record = ledger.recordSql("LOAD-ID", files);
  return [
    ...(hasLedger ? [] : [ledger.createSql]),
    "BEGIN",
    lockSql(plan),
    ...manifest.preSql,
    ...stageSql(plan),
    ...await copier.copySql(files),
    ...(plan.pkColumns.length > 0 && plan.kind !== "redshift" ? [nullKeySql(plan)] : []),
    ...applySql(plan),
    ...manifest.postSql,
    ...record,
    "COMMIT",
  ];
}
