import { digest } from "./marks.ts";
import type { Dataset } from "./settings.ts";

/** What a job does. */
export type JobStep = "copy" | "extract" | "load" | "place" | "print" | "query";

/**
 * The id of a job, derived from all that makes it the same work: whoever wants the same work done,
 * after a crash or at the same time, comes upon the same job. An id is used up when its job has
 * failed: then the next generation is another id.
 *
 * @param parts what is done: names, the source's etag, the configuration.
 */
export function jobId(step: JobStep, generation: number, ...parts: readonly string[]): string {
  return `sluice_${step}_${digest(step, ...parts).slice(0, 32)}_${generation}`;
}

/** The generation in a job's id; null when it is none of ours. */
export function generationOf(id: string): number | null {
  const [, generation] = /^sluice_[a-z]+_[0-9a-f]{32}_(\d{1,6})$/.exec(id) ?? [];
  return generation === undefined ? null : Number(generation);
}

/** Stands for two datasets in names of what is made for the copying from one to the other. */
export function pairId(source: Dataset, destination: Dataset): string {
  const pair = [source, destination].flatMap(({ projectId, datasetId }) => [projectId, datasetId]);
  return digest("pair", ...pair).slice(0, 16);
}

const temporary = "sluice_tmp_";

/** The name of a table in which something is put together before it takes its place. */
export function temporaryTable(pairId: string, ...parts: readonly string[]): string {
  return `${temporary}${pairId}_${digest("table", ...parts).slice(0, 32)}`;
}

/** @param pairId only of these two datasets. */
export function isTemporary(tableId: string, pairId = ""): boolean {
  return tableId.startsWith(`${temporary}${pairId}`);
}
