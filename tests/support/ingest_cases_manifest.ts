import type { IngestCase } from "./ingest_cases_type.ts";

/** The variable that manifests name: one manifest for all targets. */
export const targetVariable = "SLUICE_CASE_TARGET";

/** The manifest of a case: its file's name and text. */
export function manifestOf(one: IngestCase): { readonly name: string; readonly text: string } {
  const kind = one.written ?? "json";
  const name = `manifest.${kind}`;
  if (one.manifestText !== undefined) return { name, text: one.manifestText };
  const { keys = [], strategy } = one;
  const values: Record<string, unknown> = {
    table: one.table ?? one.id,
    ...keys.length > 0 ? { "pk-columns": keys } : {},
    columns: one.columns,
    ...strategy === undefined ? {} : { strategy },
    [kind === "edn" ? "jdbc-url" : "target-url"]: `env:${targetVariable}`,
    ...one.manifest,
  };
  if (kind === "json") return { name, text: JSON.stringify(values, null, 2) };
  return { name, text: kind === "edn" ? edn(values) : yaml(values) };
}

/** EDN as a person writes it: keywords for keys. */
function edn(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(edn).join(" ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value).map(([key, one]) => `:${key} ${edn(one)}`).join("\n ")}}\n`;
  }
  // JSON's strings are EDN's where they have no escapes of their own.
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** YAML in its block style. */
function yaml(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).map(([key, value]) => {
    if (Array.isArray(value)) {
      return `${key}:\n${value.map((one) => `  - ${JSON.stringify(one)}\n`).join("")}`;
    }
    if (typeof value === "object" && value !== null) {
      return `${key}:\n${
        yaml(value as Record<string, unknown>).replaceAll(/^/gm, "  ").trimEnd()
      }\n`;
    }
    return `${key}: ${JSON.stringify(value)}\n`;
  }).join("");
}
