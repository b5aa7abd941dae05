import type { Store } from "../clients/store/store.ts";
import type { Warehouse } from "../clients/warehouse/warehouse.ts";
import { parseCopyOptions } from "../formats/copy_options.ts";
import { refuseUnreadable } from "./file_text.ts";
import type { Manifest } from "./manifest.ts";
import { refuseOnRedshift } from "./redshift_options.ts";
import { refuseEnding, refuseNoSelect } from "./sql_guard.ts";
import { dialectOf } from "./target.ts";

/**
 * Refuses a manifest that cannot be loaded into its target, whatever the files are: what can be told
 * without asking the server anything. A load begins with it, and `--check` and `--dry-run` do.
 *
 * @throws {SluiceError} `usage` naming the key or the option.
 */
export function refuseUnloadable(
  manifest: Manifest,
  { kind }: Pick<Warehouse, "kind">,
  store: Store,
): void {
  const isRedshift = kind === "redshift";
  if (isRedshift) refuseOnRedshift(manifest, store);
  const options = parseCopyOptions(manifest.options, dialectOf(kind));
  if (!isRedshift) refuseUnreadable(options);
  refuseEnding("pre-sql", manifest.preSql, isRedshift);
  refuseEnding("post-sql", manifest.postSql, isRedshift);
  const { stagingSelect } = manifest;
  if (stagingSelect !== undefined && stagingSelect !== "distinct") {
    refuseNoSelect(stagingSelect, isRedshift);
  }
}
