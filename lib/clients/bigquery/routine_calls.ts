import { googleOrNull } from "../../formats/google_error.ts";
import type { BigQueryClient } from "./bigquery.ts";
import type { Call } from "./call.ts";
import { pagesOf } from "./pages.ts";
import type { RoutineReference, RoutineResource } from "./resources.ts";

type RoutineCalls = Pick<
  BigQueryClient,
  "listRoutines" | "getRoutine" | "createRoutine" | "updateRoutine"
>;

/** The calls about functions and procedures. */
export function routineCalls(call: Call): RoutineCalls {
  return {
    listRoutines: (projectId, datasetId) =>
      pagesOf(
        call,
        `list the routines of ${projectId}.${datasetId}`,
        { path: routinesPath({ projectId, datasetId }), query: { maxResults: 1_000 } },
        (page: { readonly routines?: readonly RoutineResource[] }) => page.routines,
      ),
    getRoutine: (routine) =>
      googleOrNull(() =>
        call<RoutineResource>(`read the routine ${nameOf(routine)}`, { path: routinePath(routine) })
      ),
    createRoutine: (routine, resource) =>
      call<RoutineResource>(`create the routine ${nameOf(routine)}`, {
        method: "POST",
        path: routinesPath(routine),
        json: { ...resource, routineReference: routine },
      }),
    updateRoutine: (routine, resource) =>
      call<RoutineResource>(`replace the routine ${nameOf(routine)}`, {
        method: "PUT",
        path: routinePath(routine),
        json: { ...resource, routineReference: routine },
      }),
  };
}

function routinesPath({ projectId, datasetId }: Omit<RoutineReference, "routineId">): string[] {
  return ["projects", projectId, "datasets", datasetId, "routines"];
}

function routinePath(routine: RoutineReference): string[] {
  return [...routinesPath(routine), routine.routineId];
}

function nameOf({ projectId, datasetId, routineId }: RoutineReference): string {
  return `${projectId}.${datasetId}.${routineId}`;
}
