import type { Session, Warehouse } from "../clients/warehouse/warehouse.ts";
import { faultOf, reasonOf, usageError } from "../core/errors.ts";
import { readTableName } from "../formats/sql_text.ts";
import type { TargetColumn } from "../formats/target_column.ts";
import { Directories, type DirectoryTools } from "./directory.ts";
import type { Ledger } from "./ledger.ts";
import type { Manifest } from "./manifest.ts";
import { refuseUnloadable } from "./refusals.ts";
import { scan, type Unit } from "./scan.ts";
import { targetColumns } from "./target.ts";
import { refuseMissing } from "./target_check.ts";
import { Watch } from "./watch.ts";

/** What a check found. */
export interface CheckResult {
  /** Directories with a manifest. */
  readonly directories: number;
  /** What is wrong, of all that is the least likely to pass by itself; each was told in the log. */
  readonly worst: unknown;
}

/** A directory whose manifest is right, and its target. */
export interface CheckedDirectory {
  readonly unit: Unit;
  readonly manifest: Manifest;
  readonly warehouse: Warehouse;
  readonly session: Session;
  readonly columns: readonly TargetColumn[];
  readonly ledger: Ledger;
}

/**
 * Reads every manifest, refuses what a load would refuse, and looks for its table and columns. Nothing
 * is written.
 *
 * @param act is done with each directory that is right.
 */
export async function checkDirectories(
  tools: DirectoryTools,
  act: (directory: CheckedDirectory) => Promise<void> = () => Promise.resolve(),
): Promise<CheckResult> {
  const { store, settings, targets, world, drain } = tools;
  const directories = new Directories(tools);
  let count = 0;
  let worst: unknown = null;
  for await (const found of scan(store, settings.matches)) {
    if (drain.aborted) break;
    count++;
    try {
      if (found.kind === "misfit") {
        throw usageError(`load directory ${found.directory || "/"}`, found.reason);
      }
      const manifest = await directories.readManifest(found, new Watch(found.directory));
      await targets.use(manifest.targetUrl, async (warehouse) => {
        refuseUnloadable(manifest, warehouse, store);
        const session = await warehouse.connect({ statementTimeoutMs: manifest.timeoutMs });
        try {
          const target = readTableName(manifest.table);
          const columns = await targetColumns(session, target, manifest.columns);
          await refuseMissing(session, target, manifest.columns);
          const ledger = directories.ledgerOf(found.directory, manifest, warehouse);
          await act({ unit: found, manifest, warehouse, session, columns, ledger });
        } finally {
          await session.close();
        }
      });
    } catch (thrown) {
      world.log("error", "A directory is wrong", {
        directory: found.directory,
        reason: reasonOf(thrown),
      });
      if (worst === null || faultOf(worst) === "transient") worst = thrown;
    }
  }
  return { directories: count, worst };
}
