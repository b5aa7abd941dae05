import type { World } from "../../core/world.ts";
import type { BigQueryClient, BigQueryOptions } from "./bigquery.ts";
import { callerOf } from "./call.ts";
import { jobCalls } from "./job_calls.ts";
import { routineCalls } from "./routine_calls.ts";
import { tableCalls } from "./table_calls.ts";

/** Opens the client; see {@linkcode BigQueryClient}. */
export function openClient(options: BigQueryOptions, world: World): BigQueryClient {
  const call = callerOf(options, world);
  return { ...tableCalls(call), ...routineCalls(call), ...jobCalls(call) };
}
