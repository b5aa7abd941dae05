import {
  type BigQueryClient,
  reasonOf,
  type TableReference,
  type TableResource,
} from "../clients/bigquery/bigquery.ts";
import type { ObjectStore } from "../clients/gcs.ts";
import { faultOf, SluiceError } from "../core/errors.ts";
import { Permits } from "../core/permits.ts";
import type { World } from "../core/world.ts";
import { bucketsOf, type Context, temporaryOf } from "./configurations.ts";
import { fingerprintDifference } from "./fingerprint.ts";
import { labelsOf } from "./marks.ts";
import { choosePartitions } from "./partitions.ts";
import { type Answer, type Known, marksFor, type Request, type Work } from "./states.ts";
import { encryptionOf, layoutToMake } from "./table_copy.ts";

/** Where requests go. */
export interface PerformerTools {
  readonly client: BigQueryClient;
  /** Null: nothing is staged. */
  readonly store: ObjectStore | null;
  readonly world: World;
  readonly context: Context;
}

/** Objects that are deleted or moved at once for one table. */
const objectsAtOnce = 8;
/** A temporary table that nobody drops any more is gone after so long. */
const temporaryMs = 3 * 86_400_000;

/** Does what a state asks for. Every act may be done again: after a failure, and after a crash. */
export class Performer {
  constructor(private readonly tools: PerformerTools) {}

  async perform(work: Work, request: Request): Promise<Answer> {
    const { client } = this.tools;
    switch (request.do) {
      case "look":
        return await this.#look(request);
      case "create":
        return await orRefusal(async () => {
          const table = await client.createTable(request.table, request.resource);
          return { is: "table", table };
        });
      case "guard":
        await this.#guard(request);
        return { is: "done" };
      case "job":
        return await this.#job(request);
      case "reread":
        return await this.#reread(request);
      case "read":
        return { is: "table", table: await client.getTable(request.table) };
      case "partitions":
        return await this.#split(work, request.known, request.target);
      case "move":
        await this.#move(request.folder);
        return { is: "done" };
      case "compare":
        return await this.#compare(request.jobs);
      case "patch":
        return { is: "table", table: await this.#patch(request.table, request.patch) };
      case "clean":
        await this.#clean(request.folders);
        if (request.table !== null) await client.deleteTable(request.table);
        return { is: "done" };
    }
  }

  /** Deletes all objects of these folders; each ends in a slash. */
  async #clean(folders: readonly string[]): Promise<void> {
    const { context } = this.tools;
    for (const { bucket } of bucketsOf(context)) {
      for (const folder of folders) await this.emptyFolder(bucket, folder);
    }
  }

  /** Deletes all objects whose names begin so. @returns how many. */
  async emptyFolder(bucket: string, folder: string): Promise<number> {
    const store = this.#store();
    if (!folder.endsWith("/")) throw new Error(`A folder ends in a slash: ${folder}`);
    const names = await Array.fromAsync(store.list(bucket, folder), ({ name }) => name);
    await sideBySide(names, (name) => store.delete(bucket, name));
    return names.length;
  }

  async #look({ source, destination }: RequestOf<"look">): Promise<Answer> {
    const { client } = this.tools;
    const [sourceTable, destinationTable, policies] = await Promise.all([
      client.getTable(source),
      destination === null ? null : client.getTable(destination),
      Array.fromAsync(client.listRowAccessPolicies(source)),
    ]);
    return { is: "seen", source: sourceTable, destination: destinationTable, policies };
  }

  async #job({ side, jobId, configuration, isBegun }: RequestOf<"job">): Promise<Answer> {
    const { client, context } = this.tools;
    const { projectId, location } = context[side];
    if (isBegun) {
      const job = await client.getJob(projectId, jobId, location);
      return { is: "job", job, attached: true };
    }
    return await orRefusal(async () => {
      const { job, attached } = await client.insertJob(projectId, jobId, location, configuration);
      return { is: "job", job, attached };
    });
  }

  async #guard({ table, resource, access, drops }: RequestOf<"guard">): Promise<void> {
    const { client } = this.tools;
    if (drops) await client.deleteTable(table);
    await unlessThere(() => client.createTable(table, resource));
    for (const { policyId, filterPredicate, grantees } of access.rowPolicies) {
      const policy = { filterPredicate, grantees };
      await unlessThere(() => client.createRowAccessPolicy(table, policyId, policy));
    }
  }

  async #reread({ source, folder }: RequestOf<"reread">): Promise<Answer> {
    const { client, context } = this.tools;
    const table = source === null ? null : await client.getTable(source);
    let files = 0;
    const bucket = context.settings.bucket?.bucket;
    if (folder !== null && bucket !== undefined) {
      for await (const _ of this.#store().list(bucket, folder)) files++;
    }
    return { is: "reread", source: table, files };
  }

  /** Which partitions there are to copy; makes the table for them if they need one. */
  async #split(work: Work, known: Known, target: "temporary" | "destination"): Promise<Answer> {
    const { client, context, world } = this.tools;
    const before = target === "temporary" ? null : known.before;
    const choice = await choosePartitions(client, context, known.source, before);
    if (choice.needsAll) return { is: "split", group: null, notes: known.notes, needsAll: true };
    const notes = [...known.notes, ...choice.notes];
    if (target === "temporary") {
      const resource = {
        ...layoutToMake(known.source, context.isExpiring),
        ...encryptionOf(known.access, "encryptionConfiguration"),
        schema: { fields: known.access.fields },
        expirationTime: String(world.nowMs() + temporaryMs),
        // Tells the next run whose it is.
        labels: labelsOf(marksFor(known, "", "made")),
      };
      const table = temporaryOf(work, known, context);
      await unlessThere(() => client.createTable(table, resource));
    }
    if (choice.changed.size === 0 && target === "destination") {
      return { is: "split", group: null, notes, needsAll: false };
    }
    const progress = { left: choice.changed.size, isStopped: false, failed: [] };
    const withNotes = { ...known, notes };
    const group = { work, known: withNotes, target, rows: choice.changed, progress };
    return { is: "split", group, notes, needsAll: false };
  }

  /** Copies into the other bucket what is not there in full. */
  async #move(folder: string): Promise<void> {
    const { bucket, destinationBucket } = this.tools.context.settings;
    if (bucket === null || destinationBucket === null) return;
    const store = this.#store();
    const there = new Map<string, number>();
    for await (const { name, sizeBytes } of store.list(destinationBucket.bucket, folder)) {
      there.set(name, sizeBytes);
    }
    const names: string[] = [];
    for await (const { name, sizeBytes } of store.list(bucket.bucket, folder)) {
      if (there.get(name) !== sizeBytes) names.push(name);
    }
    await sideBySide(
      names,
      (name) =>
        store.copy({ bucket: bucket.bucket, name }, { bucket: destinationBucket.bucket, name }),
    );
  }

  async #compare([one, other]: readonly [string, string]): Promise<Answer> {
    const { client, context: { source, destination } } = this.tools;
    const difference = await fingerprintDifference(
      client.queryRows(source.projectId, one, source.location),
      client.queryRows(destination.projectId, other, destination.location),
    );
    return { is: "compared", difference };
  }

  async #patch(
    table: TableReference,
    patch: Record<string, unknown>,
  ): Promise<TableResource | null> {
    try {
      return await this.tools.client.patchTable(table, patch);
    } catch (thrown) {
      if (reasonOf(thrown) === "notFound") return null;
      throw thrown;
    }
  }

  #store(): ObjectStore {
    const { store } = this.tools;
    if (store === null) throw new Error("Nothing can be staged without a bucket");
    return store;
  }
}

type RequestOf<K extends Request["do"]> = Extract<Request, { readonly do: K }>;

async function orRefusal(act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.fault !== "permanent") throw thrown;
    return { is: "refused", error: thrown };
  }
}

/** Makes something; that it is there already is fine. */
async function unlessThere(make: () => Promise<unknown>): Promise<void> {
  try {
    await make();
  } catch (thrown) {
    if (faultOf(thrown) !== "permanent" || reasonOf(thrown) !== "duplicate") throw thrown;
  }
}

/** Does it for all, so many at a time; throws the first failure once all are over. */
async function sideBySide(
  names: readonly string[],
  act: (name: string) => Promise<void>,
): Promise<void> {
  const permits = new Permits(objectsAtOnce);
  const results = await Promise.allSettled(names.map((name) => permits.use(() => act(name))));
  for (const result of results) {
    if (result.status === "rejected") throw result.reason;
  }
}
