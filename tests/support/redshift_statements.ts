import { sqlLiteral, sqlShape, sqlTokens } from "./redshift_sql.ts";

/** Parameters that Redshift has and PostgreSQL has not (cm_chap_ConfigurationRef). */
const parameters =
  /^(SET (?:SESSION |LOCAL )?)(query_group|wlm_query_slot_count|enable_[a-z_]+|analyze_threshold_percent|max_cursor_result_set_size|describe_field_name_in_uppercase|spectrum_[a-z_]+|use_fips_ssl|timezone_names)\b/i;

/** A statement of Redshift as PostgreSQL takes it; most are the same. */
export function forPostgres(sql: string): string {
  // VACUUM (r_VACUUM_command): FULL, SORT ONLY, DELETE ONLY, REINDEX, RECLUSTER; TO n PERCENT, BOOST.
  const vacuum =
    /^VACUUM\b(?:\s+(?:FULL|SORT\s+ONLY|DELETE\s+ONLY|REINDEX|RECLUSTER))?([\s\S]*?)(?:\s+TO\s+\d+\s+PERCENT)?(?:\s+BOOST)?$/i
      .exec(sql.trim());
  if (vacuum) return `VACUUM${vacuum[1]}`;
  // The server's version is that of 8.0 everywhere.
  if (/^SHOW\s+server_version\s*$/i.test(sql.trim())) {
    return "SELECT '8.0.2'::text AS server_version";
  }
  return sql.trim().replace(parameters, "$1redshift.$2")
    // What Redshift tells of identity columns: see the views.
    .replace(/\bpg_(attribute|attrdef)\b/gi, "redshift_$1");
}

/**
 * ALTER TABLE ... ADD a key: noted and not enforced, as in CREATE TABLE (ALTER TABLE, r_ALTER_TABLE).
 *
 * @returns the statements in its place; undefined when it is none.
 */
export function addedKeys(sql: string): string[] | undefined {
  const tokens = sqlTokens(sql);
  const kind = /^ALTER TABLE .* ADD (?:CONSTRAINT \S+ )?(PRIMARY KEY|UNIQUE|FOREIGN KEY) \(/
    .exec(sqlShape(tokens))?.[1];
  if (kind === undefined) return undefined;
  const add = tokens.findIndex(({ value, kind }) => kind === "word" && value === "ADD");
  const table = sql.slice(tokens[2]?.start, tokens[add - 1]?.end);
  const open = tokens.findIndex(({ text }, at) => at > add && text === "(");
  const close = tokens.findIndex(({ text }, at) => at > open && text === ")");
  const names = tokens.slice(open + 1, close).filter(({ text }) => text !== ",")
    .map(({ kind, value, text }) => kind === "name" ? value : text.toLowerCase());
  return [
    `INSERT INTO pg_catalog.redshift_constraint SELECT ${sqlLiteral(table)}::regclass, ` +
    `${sqlLiteral(kind)}, ARRAY[${
      names.map(sqlLiteral).join(", ")
    }]::text[] ON CONFLICT DO NOTHING`,
  ];
}
