import { faultOf, reasonOf, usageError } from "../core/errors.ts";
import { readTableName } from "../formats/sql_text.ts";
import { Directories, type DirectoryTools } from "./directory.ts";
import { refuseUnloadable } from "./refusals.ts";
import { scan } from "./scan.ts";
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

/** Reads every manifest, refuses what a load would, and looks for its table and columns; nothing is written. */
export async function checkDirectories(tools: DirectoryTools): Promise<CheckResult> {
  const { store, settings, targets, world } = tools;
  const directories = new Directories(tools);
  let count = 0;
  let worst: unknown = null;
  for await (const found of scan(store, settings.matches)) {
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
          await targetColumns(session, target, manifest.columns);
          await refuseMissing(session, target, manifest.columns);
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
