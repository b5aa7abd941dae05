import { importsOf } from "./imports.ts";

/** One row of the table in docs/dependencies.md. */
export interface Dependency {
  readonly name: string;
  /** The files, or folders with a slash at the end, that may import it; `tests/` always may. */
  readonly places: readonly string[];
  readonly reason: string;
}

/** The rows of the table: `| package | imported by | reason |`, code in backticks. */
export function dependenciesIn(markdown: string): Dependency[] {
  const rows = markdown.matchAll(/^\| `([^`]+)` +\| ([^|]+) \| ([^|]+) \|$/gm);
  return [...rows].map(([, name = "", places = "", reason = ""]) => ({
    name,
    places: [...places.matchAll(/`([^`]+)`/g)].map(([, place = ""]) => place),
    reason: reason.trim(),
  }));
}

/** The package of a specifier as it stands behind `from`; undefined for files and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|node:|file:)/.test(specifier)) return undefined;
  return /^(?:npm:)?((?:@[^/@]+\/)?[^/@]+)/.exec(specifier)?.[1];
}

/**
 * What does not agree between the table, the pinned versions and the sources, one line each.
 *
 * @param imports those of deno.json: package to `npm:PACKAGE@VERSION`.
 * @param sources path relative to the checkout, with the text of the file.
 */
export function dependencyComplaints(
  table: readonly Dependency[],
  imports: Readonly<Record<string, string>>,
  sources: ReadonlyMap<string, string>,
): string[] {
  const known = new Map(table.map((row) => [row.name, row]));
  const complaints = pinComplaints(known, imports);
  const used = new Map<string, Set<string>>();
  for (const [path, text] of sources) {
    for (const { specifier, line } of importsOf(text)) {
      const name = packageOf(specifier);
      if (name === undefined) continue;
      const places = known.get(name)?.places ?? [];
      const place = [...places, "tests/"].find((one) => isIn(path, one));
      if (place === undefined) {
        complaints.push(`${path}:${line}: ${name} is not to be imported here`);
      } else if (places.includes(place)) used.set(name, (used.get(name) ?? new Set()).add(place));
    }
  }
  for (const { name, places, reason } of table) {
    if (reason.length < 20) complaints.push(`${name}: there is no reason`);
    for (const place of places) {
      if (!used.get(name)?.has(place)) complaints.push(`${name}: nothing in ${place} imports it`);
    }
  }
  return complaints;
}

function pinComplaints(
  known: ReadonlyMap<string, Dependency>,
  imports: Readonly<Record<string, string>>,
): string[] {
  const complaints: string[] = [];
  for (const [name, specifier] of Object.entries(imports)) {
    if (!known.has(name)) complaints.push(`${name} is in deno.json and not in the table`);
    const version = specifier.startsWith(`npm:${name}@`)
      ? specifier.slice(`npm:${name}@`.length)
      : "";
    if (!/^\d+\.\d+\.\d+$/.test(version)) {
      complaints.push(`${name}: ${specifier} is no exact version`);
    }
  }
  for (const name of known.keys()) {
    if (imports[name] === undefined) {
      complaints.push(`${name} is in the table and not in deno.json`);
    }
  }
  return complaints;
}

function isIn(path: string, place: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}
