import type { Dataset } from "./settings.ts";

/** SQL with the names of one dataset put in the place of another's. */
export interface Rewritten {
  readonly sql: string;
  /** What of the dataset it refers to, by name: tables, views, routines. */
  readonly names: readonly string[];
}

/**
 * What the text of SQL is made of: comments and literals, in which nothing is a name; names between
 * backticks; Legacy SQL's names between brackets; paths of bare and quoted names; all else.
 */
const pieces = new RegExp(
  [
    /(?<skip>--[^\n]*|#[^\n]*|\/\*[^]*?\*\/)/u,
    /(?<literal>[rRbB]{0,2}(?:"""(?:\\[^]|(?!""")[^\\])*"""|'''(?:\\[^]|(?!''')[^\\])*''')|[rRbB]{0,2}(?:"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'))/u,
    /(?<legacy>\[[A-Za-z0-9_:.$-]+\])/u,
    /(?<path>(?:`[^`]+`|[\p{L}_][\p{L}\p{N}_]*(?:-[\p{L}\p{N}_]+)*)(?:\s*\.\s*(?:`[^`]+`|[\p{L}_*][\p{L}\p{N}_*]*))*)/u,
  ].map(({ source }) => source).join("|"),
  "gu",
);

/**
 * Puts the destination's project and dataset where the source's stand. A name of two parts, `dataset.x`,
 * is one of the source's only if there is an `x` in it: it might be a column of something else.
 *
 * @param known the names of all tables, views and routines of the source.
 */
export function rewriteNames(
  sql: string,
  source: Dataset,
  destination: Dataset,
  known: ReadonlySet<string>,
  isLegacy = false,
): Rewritten {
  const names = new Set<string>();
  const text = sql.replace(pieces, (piece, ...rest) => {
    const groups = rest[rest.length - 1] as Record<string, string | undefined>;
    if (groups["legacy"] !== undefined) {
      return isLegacy ? legacyName(piece, source, destination, names) : piece;
    }
    if (groups["path"] === undefined) return piece;
    return path(piece, source, destination, known, names);
  });
  return { sql: text, names: [...names] };
}

function path(
  piece: string,
  source: Dataset,
  destination: Dataset,
  known: ReadonlySet<string>,
  names: Set<string>,
): string {
  const written = piece.match(/`[^`]+`|[^\s.`]+/gu) ?? [];
  const parts = written.flatMap((one) => one.startsWith("`") ? one.slice(1, -1).split(".") : [one]);
  const [first, second, third] = parts;
  const isWholeQuoted = written.length === 1 && piece.startsWith("`");
  const rest = (from: number) => {
    if (isWholeQuoted) return `\`${parts.slice(from).join(".")}\``;
    return parts.slice(from).map(quoted).join(".");
  };
  if (first === source.projectId && second === source.datasetId && third !== undefined) {
    names.add(third);
    const { projectId, datasetId } = destination;
    if (isWholeQuoted) return `\`${[projectId, datasetId, ...parts.slice(2)].join(".")}\``;
    return `\`${projectId}\`.${quoted(datasetId)}.${rest(2)}`;
  }
  const isKnown = second !== undefined &&
    (known.has(second) || second === "INFORMATION_SCHEMA" || isWildcardOf(second, known));
  if (first !== source.datasetId || !isKnown) return piece;
  names.add(second);
  if (isWholeQuoted) return `\`${[destination.datasetId, ...parts.slice(1)].join(".")}\``;
  return `${quoted(destination.datasetId)}.${rest(1)}`;
}

function isWildcardOf(name: string, known: ReadonlySet<string>): boolean {
  if (!name.endsWith("*")) return false;
  const start = name.slice(0, -1);
  return [...known].some((one) => one.startsWith(start));
}

function quoted(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : `\`${name}\``;
}

/** `[PROJECT:DATASET.TABLE]` or `[DATASET.TABLE]`. */
function legacyName(
  piece: string,
  source: Dataset,
  destination: Dataset,
  names: Set<string>,
): string {
  const [, project, dataset, table] = /^\[(?:(.+):)?([^.:]+)\.([^.]+)\]$/.exec(piece) ?? [];
  const isOurs = dataset === source.datasetId && table !== undefined &&
    (project === undefined || project === source.projectId);
  if (!isOurs) return piece;
  names.add(table);
  return `[${destination.projectId}:${destination.datasetId}.${table}]`;
}

/**
 * What has to be made before what refers to it: names in such an order. Those that are not in the map
 * are there already or somebody else's; a circle is cut at an end of it.
 */
export function inOrderOfNeed(needs: ReadonlyMap<string, readonly string[]>): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const needed of [...needs.get(name) ?? []].sort()) {
      if (needs.has(needed)) visit(needed);
    }
    order.push(name);
  };
  for (const name of [...needs.keys()].sort()) visit(name);
  return order;
}
