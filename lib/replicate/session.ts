import type { BigQueryClient } from "../clients/bigquery/bigquery.ts";
import type { ObjectStore } from "../clients/gcs.ts";
import { reasonOf, SluiceError } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import type { Chosen } from "./choosing.ts";
import type { Context } from "./configurations.ts";
import type { CopyQuota } from "./copy_quota.ts";
import { type Plan, planRun } from "./plan.ts";
import { patiently } from "./patience.ts";
import { type Listener, Round } from "./round.ts";
import type { Dataset, ReplicateSettings } from "./settings.ts";
import { bucketFits } from "./staging.ts";
import { skippedViews } from "./table_choice.ts";
import { copyViews } from "./views.ts";

/** What a run needs. */
export interface SessionTools {
  readonly client: BigQueryClient;
  /** Null: nothing is staged. */
  readonly store: ObjectStore | null;
  readonly world: World;
  readonly settings: ReplicateSettings;
  /** Outlives the runs of a daemon. */
  readonly quota: CopyQuota;
}

/** Finds out where both datasets are. */
async function contextOf(
  { client, settings, quota, world }: SessionTools,
  signal: AbortSignal,
): Promise<Context> {
  const find = async (which: string, { projectId, datasetId }: Dataset) => {
    const found = await patiently(
      world,
      settings,
      `find the ${which} dataset`,
      signal,
      () => client.getDataset(projectId, datasetId),
    );
    if (found !== null) return { found, side: { projectId, datasetId, location: found.location } };
    throw new SluiceError(
      `find the ${which} dataset ${projectId}.${datasetId}`,
      "permanent",
      which === "source"
        ? "there is none of that name"
        : "there is none; make it where the copies " +
          "are to be, with `bq mk --location=LOCATION --dataset`",
    );
  };
  const [source, destination] = await Promise.all([
    find("source", settings.source),
    find("destination", settings.destination),
  ]);
  const { defaultTableExpirationMs, defaultPartitionExpirationMs } = destination.found;
  const isExpiring = (defaultTableExpirationMs ?? defaultPartitionExpirationMs) !== undefined;
  return { settings, source: source.side, destination: destination.side, isExpiring, quota };
}

/** `--check`: both datasets and the buckets, asked once. @returns a sentence for each doubt. */
export async function checkSession(tools: SessionTools, signal: AbortSignal): Promise<string[]> {
  const { store, settings } = tools;
  const context = await contextOf({ ...tools, settings: { ...settings, patienceMs: 0 } }, signal);
  const doubts: string[] = [];
  const places = [
    [settings.bucket, context.source.location, "--google-cloud-bucket"],
    [settings.destinationBucket, context.destination.location, "--destination-bucket"],
    ...settings.destinationBucket === null
      ? [[settings.bucket, context.destination.location, "--google-cloud-bucket"] as const]
      : [],
  ] as const;
  for (const [place, location, flag] of places) {
    if (place === null || store === null) continue;
    const found = await store.bucketLocation(place.bucket);
    if (found === null) {
      throw new SluiceError(
        `use ${flag} gs://${place.bucket}`,
        "permanent",
        "there is no such bucket",
      );
    }
    if (!bucketFits(found, location)) {
      doubts.push(
        `${flag} is in ${found} and the dataset in ${location}: BigQuery may refuse that` +
          (settings.destinationBucket === null ? "; give --destination-bucket, too" : ""),
      );
    }
  }
  return doubts;
}

/** `--dry-run`: what a run would do. */
export async function planSession(tools: SessionTools, signal: AbortSignal): Promise<Plan> {
  const { client, world } = tools;
  const context = await contextOf(tools, signal);
  const round = new Round({ ...tools, context }, silent);
  const chosen = await round.choose(signal);
  return await patiently(
    world,
    tools.settings,
    "look at the tables",
    signal,
    () => planRun(client, chosen, context),
  );
}

const silent: Listener = {
  reached: () => {},
  failing: () => {},
  partitionEnded: () => {},
  ended: () => {},
};

/** One run over everything. */
export async function runSession(
  tools: SessionTools,
  listener: Listener,
  options: {
    /** Deletes all that is staged, before and after. */
    readonly cleansAll: boolean;
    /** Told of the round, so that it can be asked how far it is. */
    readonly onRound: (round: Round, chosen: Chosen) => void;
  },
  stop: AbortSignal,
): Promise<void> {
  const { world, settings } = tools;
  const context = await contextOf(tools, stop);
  const round = new Round({ ...tools, context }, listener);
  const chosen = await round.choose(stop);
  options.onRound(round, chosen);
  await clean(round, chosen, tools, options.cleansAll, stop);
  const skipped = [
    ...chosen.skipped,
    ...settings.includeViews ? [] : skippedViews(chosen.views),
  ];
  for (const { tableId: name, type, reason } of skipped) {
    const kind = type.endsWith("VIEW") ? "view" as const : "table" as const;
    listener.ended({ name, kind, ms: 0, is: "skipped", reason });
  }
  await round.run(chosen, stop);
  if (settings.includeViews) {
    const { client, source, destination } = { ...tools, ...context };
    await copyViews(
      {
        ...{ client, settings, source, destination, nowMs: () => world.monotonicMs() },
        patiently: (what, act) => patiently(world, settings, what, stop, act),
      },
      chosen.views,
      chosen.sources.map(({ tableId }) => tableId),
      (outcome) => listener.ended(outcome),
      stop,
    );
  }
  if (options.cleansAll) await clean(round, chosen, tools, true, stop);
}

/** A run whose leftovers cannot be deleted is a run all the same. */
async function clean(
  round: Round,
  chosen: Chosen,
  { world }: SessionTools,
  all: boolean,
  stop: AbortSignal,
): Promise<void> {
  try {
    const { objects, tables } = await round.clean(chosen, all, stop);
    if (objects + tables === 0) return;
    world.log("info", "Deleted what earlier runs have left", { objects, tables });
  } catch (thrown) {
    if (all) throw thrown;
    world.log("warn", "Cannot clean up after earlier runs", { reason: reasonOf(thrown) });
  }
}
