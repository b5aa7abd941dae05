import type { RowAccessPolicy, TableResource } from "../clients/bigquery/bigquery.ts";
import { type Access, carryAccess } from "./access.ts";
import { type Context, isAcross } from "./configurations.ts";
import type { CopyQuota } from "./copy_quota.ts";
import { chooseFormat } from "./format_choice.ts";
import type { FileFormat, ReplicateSettings, Way } from "./settings.ts";
import { isPartitionedByIngestion, lossesOfCopy } from "./table_copy.ts";

/** How a table is copied, or why it is not. */
export type WayChoice =
  | { readonly way: Way; readonly format: FileFormat; readonly losses: readonly string[] }
  | { readonly refused: string };

/** How a table is copied, with what guards it there and all that is lost, or why it is not. */
export type Decision =
  | {
    readonly access: Access;
    readonly way: Way;
    readonly format: FileFormat;
    readonly losses: readonly string[];
  }
  | { readonly refused: string };

/**
 * What a run does with a table, and what `--dry-run` tells of it.
 *
 * @param isByFiles BigQuery has refused to copy this one.
 */
export function decide(
  source: TableResource,
  policies: readonly RowAccessPolicy[],
  context: Context,
  isByFiles = false,
): Decision {
  const { quota } = context;
  const settings = isByFiles ? { ...context.settings, via: "extract" as const } : context.settings;
  const isSameLocation = !isAcross(context);
  const access = carryAccess(source, policies, settings, isSameLocation);
  const choice = chooseWay(source, access, { settings, isSameLocation, quota });
  const refusals = [...access.refusals, ..."refused" in choice ? [choice.refused] : []];
  if ("refused" in choice || refusals.length > 0) return { refused: refusals.join("; ") };
  const losses = [...lossesOfCopy(source, context), ...choice.losses];
  return { ...choice, access, losses };
}

/** What the choice hangs on. */
export interface Circumstances {
  readonly settings: Pick<
    ReplicateSettings,
    "via" | "bucket" | "format" | "isLossy"
  >;
  readonly isSameLocation: boolean;
  readonly quota: Pick<CopyQuota, "mayTryAcross">;
}

/**
 * A copy job where one will do, else files. A table that is guarded goes through files whenever a copy
 * job might leave it without its guards for a moment: across locations, or with other tags.
 */
export function chooseWay(
  source: TableResource,
  access: Access,
  { settings, isSameLocation, quota }: Circumstances,
): WayChoice {
  const { via, bucket } = settings;
  const isUnsafe = isGuardLost(source, access, isSameLocation);
  if (via === "copy" && isUnsafe) {
    return {
      refused: "a copy job might leave it without its policy tags or row access policies for a " +
        "moment; it goes through files: --via extract",
    };
  }
  const extract = (): WayChoice => {
    if (bucket === null) {
      return { refused: "it has to go through files; give --google-cloud-bucket gs://BUCKET" };
    }
    const fields = source.schema?.fields ?? [];
    const chosen = chooseFormat(fields, settings.format, settings.isLossy);
    if ("refused" in chosen) return chosen;
    if (isPartitionedByIngestion(source) && access.rowPolicies.length > 0) {
      return {
        refused:
          "its partitions are those of the time of loading and it has row access policies: " +
          "put together from files it would be without them for a moment",
      };
    }
    return { way: "extract", ...chosen };
  };
  if (via === "extract" || isUnsafe) return extract();
  const copy: WayChoice = { way: "copy", format: "avro", losses: [] };
  if (via === "copy" || isSameLocation) return copy;
  if (quota.mayTryAcross()) return copy;
  const files = extract();
  if ("refused" in files) {
    return { refused: `BigQuery does not copy it to the other location, and ${files.refused}` };
  }
  return files;
}

function isGuardLost(source: TableResource, access: Access, isSameLocation: boolean): boolean {
  if (!access.isGuarded) return false;
  if (access.rowPolicies.length > 0 || !isSameLocation) return true;
  return JSON.stringify(access.fields) !== JSON.stringify(source.schema?.fields ?? []);
}
