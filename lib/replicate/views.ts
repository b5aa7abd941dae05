import {
  type BigQueryClient,
  reasonOf,
  type RoutineResource,
  type TableResource,
} from "../clients/bigquery/bigquery.ts";
import { SluiceError } from "../core/errors.ts";
import { etagMark, labelsOf, marksOf, ownLabels } from "./marks.ts";
import { failure, type Outcome } from "./report.ts";
import type { Dataset, ReplicateSettings, Side } from "./settings.ts";
import { inOrderOfNeed, rewriteNames } from "./sql_names.ts";
import type { Candidate } from "./table_choice.ts";
import { picked } from "./table_copy.ts";
import { eachField } from "./table_schema.ts";

/** What views and routines need to be copied. */
export interface ViewTools {
  readonly client: BigQueryClient;
  readonly settings: Pick<ReplicateSettings, "choice" | "filter">;
  readonly source: Side;
  readonly destination: Side;
  /** Runs an act, again if it fails by what may pass. */
  readonly patiently: <T>(what: string, act: () => Promise<T>) => Promise<T>;
  readonly nowMs: () => number;
}

/** A view or routine of the source. */
type Item =
  | { readonly kind: "view"; readonly name: string; readonly source: TableResource }
  | { readonly kind: "routine"; readonly name: string; readonly source: RoutineResource };

/**
 * Copies views, materialized views and routines, with the names of the destination in them, each after
 * what it needs. They are made in one request each: after a crash they are there or not.
 *
 * @param tables names of all tables of the source.
 */
export async function copyViews(
  tools: ViewTools,
  candidates: readonly Candidate[],
  tables: Iterable<string>,
  ended: (outcome: Outcome) => void,
  stop: AbortSignal,
): Promise<void> {
  const items = new Map<string, Item>();
  for (const item of await viewsOf(tools, candidates)) items.set(item.name, item);
  for (const item of await routinesOf(tools)) items.set(item.name, item);
  const known = new Set([...tables, ...items.keys()]);
  const needs = new Map(
    [...items.values()].map((item) => [item.name, needsOf(tools, item, known)]),
  );
  for (const name of inOrderOfNeed(needs)) {
    const item = items.get(name);
    if (item === undefined) continue;
    ended(await copyOne(tools, item, known, stop));
  }
}

async function viewsOf(tools: ViewTools, candidates: readonly Candidate[]): Promise<Item[]> {
  const { client, source: { projectId, datasetId }, patiently, settings: { choice } } = tools;
  const items: Item[] = [];
  for (const { tableId, destination } of candidates) {
    if (choice === "missing" && destination !== null) continue;
    const source = await patiently(
      `read the view ${tableId}`,
      () => client.getTable({ projectId, datasetId, tableId }),
    );
    if (source !== null) items.push({ kind: "view", name: tableId, source });
  }
  return items;
}

async function routinesOf(tools: ViewTools): Promise<Item[]> {
  const { client, source: { projectId, datasetId }, patiently, settings } = tools;
  const items: Item[] = [];
  const listed = await patiently(
    "list the routines",
    () => Array.fromAsync(client.listRoutines(projectId, datasetId)),
  );
  for (const { routineReference } of listed) {
    const { routineId } = routineReference;
    if (!settings.filter.test(routineId)) continue;
    const source = await patiently(
      `read the routine ${routineId}`,
      () => client.getRoutine({ projectId, datasetId, routineId }),
    );
    if (source !== null) items.push({ kind: "routine", name: routineId, source });
  }
  return items;
}

function needsOf(tools: ViewTools, { name, source }: Item, known: ReadonlySet<string>): string[] {
  const sql = sqlOf(source);
  const { names } = rewriteNames(sql.text, tools.source, tools.destination, known, sql.isLegacy);
  return names.filter((one) => one !== name);
}

function sqlOf(source: TableResource | RoutineResource): {
  readonly text: string;
  readonly isLegacy: boolean;
} {
  if ("routineReference" in source) {
    return { text: String(source.definitionBody ?? ""), isLegacy: false };
  }
  const view = source.view as TableResource["view"];
  const materialized = source.materializedView as TableResource["materializedView"];
  return { text: view?.query ?? materialized?.query ?? "", isLegacy: view?.useLegacySql === true };
}

async function copyOne(
  tools: ViewTools,
  item: Item,
  known: ReadonlySet<string>,
  stop: AbortSignal,
): Promise<Outcome> {
  const { name, kind } = item;
  const beganMs = tools.nowMs();
  const told = () => ({ name, kind, ms: tools.nowMs() - beganMs });
  if (stop.aborted) return { ...told(), is: "stopped" };
  try {
    const way = await tools.patiently(
      `copy the ${kind} ${name}`,
      () =>
        item.kind === "view"
          ? putView(tools, item.source, known)
          : putRoutine(tools, item.source, known),
    );
    if (way === null) return { ...told(), is: "unchanged" };
    const notes = lossesOfView(item.source);
    return { ...told(), is: "copied", way, rows: "0", bytes: "0", notes };
  } catch (thrown) {
    return failure(name, kind, told().ms, thrown);
  }
}

/** What is not in the copy, a sentence each: columns come from the query when a view is made. */
function lossesOfView({ schema }: Item["source"]): string[] {
  const { fields = [] } = (schema ?? {}) as NonNullable<TableResource["schema"]>;
  const isDescribed = [...eachField(fields)].some(({ field }) => field.description !== undefined);
  return isDescribed ? ["the descriptions of its columns are not carried"] : [];
}

type Put = "made" | "changed" | null;

async function putView(
  { client, source, destination, settings }: ViewTools,
  view: TableResource,
  known: ReadonlySet<string>,
): Promise<Put> {
  const { tableId } = view.tableReference;
  const target = { ...datasetOf(destination), tableId };
  const rewrite = (sql: string, isLegacy: boolean) =>
    rewriteNames(sql, source, destination, known, isLegacy).sql;
  const resource = {
    ...picked(view, ["description", "friendlyName", "expirationTime"]),
    labels: {
      ...ownLabels(view.labels),
      ...labelsOf({
        source: etagMark(view.etag),
        modifiedMs: view.lastModifiedTime ?? null,
        run: null,
        state: null,
      }),
    },
    ...(view.view === undefined ? {} : {
      // All of it: a privacy policy is part of it.
      view: {
        ...view.view,
        query: rewrite(view.view.query, view.view.useLegacySql === true),
      },
    }),
    ...(view.materializedView === undefined ? {} : {
      materializedView: {
        ...picked(view.materializedView, [
          ...["enableRefresh", "refreshIntervalMs", "maxStaleness"],
          "allowNonIncrementalDefinition",
        ]),
        query: rewrite(view.materializedView.query, false),
      },
      ...picked(view, ["timePartitioning", "rangePartitioning", "clustering"]),
    }),
  };
  try {
    await client.createTable(target, resource);
    return "made";
  } catch (thrown) {
    if (reasonOf(thrown) !== "duplicate") throw thrown;
  }
  const there = await client.getTable(target);
  if (there?.type !== view.type) {
    throw new SluiceError(`copy the view ${tableId}`, "permanent", "there is a table of that name");
  }
  const isSame = marksOf(there.labels).source === etagMark(view.etag);
  if (settings.choice === "missing" || (isSame && settings.choice !== "all")) return null;
  // The query of a materialized view cannot be changed.
  if (view.materializedView === undefined) await client.patchTable(target, resource, there.etag);
  else {
    await client.deleteTable(target);
    await client.createTable(target, resource);
  }
  return "changed";
}

/** What belongs to one routine and not to another. */
const ownOfRoutine = ["kind", "etag", "routineReference", "creationTime", "lastModifiedTime"];

async function putRoutine(
  { client, source, destination, settings }: ViewTools,
  routine: RoutineResource,
  known: ReadonlySet<string>,
): Promise<Put> {
  const { routineId } = routine.routineReference;
  const action = `copy the routine ${routineId}`;
  for (const name of ["remoteFunctionOptions", "sparkOptions"]) {
    if (routine[name] === undefined) continue;
    const why = "it uses a connection, which belongs to its own location; make it by hand";
    throw new SluiceError(action, "permanent", why);
  }
  const isSql = routine.language === undefined || routine.language === "SQL";
  const target = { ...datasetOf(destination), routineId };
  const body = String(routine.definitionBody ?? "");
  const resource: Record<string, unknown> = {
    ...Object.fromEntries(Object.entries(routine).filter(([name]) => !ownOfRoutine.includes(name))),
    definitionBody: isSql ? rewriteNames(body, source, destination, known).sql : body,
  };
  try {
    await client.createRoutine(target, resource);
    return "made";
  } catch (thrown) {
    if (reasonOf(thrown) !== "duplicate") throw thrown;
  }
  if (settings.choice === "missing") return null;
  const there = await client.getRoutine(target);
  if (there?.definitionBody === resource["definitionBody"] && settings.choice !== "all") {
    return null;
  }
  await client.updateRoutine(target, resource);
  return "changed";
}

function datasetOf({ projectId, datasetId }: Side): Dataset {
  return { projectId, datasetId };
}
