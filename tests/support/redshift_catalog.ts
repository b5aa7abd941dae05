/** As `SELECT version()` answers: 8.0.2 with Redshift's own version behind it (pgcli reads it there). */
export const redshiftVersion = "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) " +
  "3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.103535";

/**
 * What a database of the stand-in has besides PostgreSQL's own: the views of load errors
 * (SYS_LOAD_ERROR_DETAIL, r_STL_LOAD_ERRORS), whose texts are padded as CHARACTER is; version(),
 * PG_LAST_COPY_ID and PG_LAST_COPY_COUNT, GETDATE, LEN, NVL (pages of these names). In plain
 * literals a backslash is an escape. An identity column has a default there, which pg_attrdef.adsrc
 * tells as "identity"(...) or default_identity(...): so Amazon's own scripts find them
 * (amazon-redshift-utils, v_generate_tbl_ddl), and tools that read schemas.
 */
export function catalogSql(database: string): string {
  const name = `"${database.replaceAll('"', '""')}"`;
  return `
SET allow_system_table_mods = on;
ALTER DATABASE ${name} SET standard_conforming_strings = off;
ALTER DATABASE ${name} SET escape_string_warning = off;
ALTER DATABASE ${name} SET backslash_quote = on;
CREATE TABLE pg_catalog.redshift_constraint (
  tbl regclass, kind text, columns text[], PRIMARY KEY (tbl, kind, columns));
CREATE TABLE pg_catalog.redshift_load_error (
  query_id bigint, session_id int, database_name text, table_id bigint, start_time timestamptz,
  file_name text, line_number bigint, column_name text, column_type text, column_length text,
  error_code int, error_message text, raw_line text, raw_field_value text);
CREATE VIEW pg_catalog.sys_load_error_detail AS SELECT
  100 AS user_id, query_id, 0::bigint AS transaction_id, session_id,
  database_name::char(64) AS database_name, table_id::int AS table_id,
  start_time::timestamp AS start_time, file_name::char(256) AS file_name, line_number,
  column_name::char(127) AS column_name, column_type::char(10) AS column_type,
  column_length::char(10) AS column_length, 0 AS position, error_code,
  error_message::char(512) AS error_message
  FROM pg_catalog.redshift_load_error;
CREATE VIEW pg_catalog.stl_load_errors AS SELECT
  100 AS userid, 0 AS slice, table_id::int AS tbl, start_time::timestamp AS starttime,
  session_id AS session, query_id::int AS query, file_name::char(256) AS filename, line_number,
  column_name::char(127) AS colname, column_type::char(10) AS type,
  column_length::char(10) AS col_length, 0 AS position, raw_line::char(1024) AS raw_line,
  raw_field_value::char(1024) AS raw_field_value, error_code AS err_code,
  error_message::char(100) AS err_reason, 0 AS is_partial, 0::bigint AS start_offset
  FROM pg_catalog.redshift_load_error;
CREATE VIEW pg_catalog.redshift_attribute AS SELECT
  attrelid, attname, atttypid, attstattarget, attlen, attnum, attndims, attcacheoff, atttypmod,
  attbyval, attstorage, attalign, attnotnull, atthasdef OR attidentity <> '' AS atthasdef,
  attisdropped, attislocal, attinhcount FROM pg_catalog.pg_attribute;
CREATE VIEW pg_catalog.redshift_attrdef AS SELECT
  oid, adrelid, adnum, adbin, pg_get_expr(adbin, adrelid) AS adsrc FROM pg_catalog.pg_attrdef
  UNION ALL SELECT 0, attrelid, attnum, NULL, CASE attidentity WHEN 'a' THEN '"identity"('
  ELSE 'default_identity(' END || attrelid || ', 0, ''1,1''::text)'
  FROM pg_catalog.pg_attribute WHERE attidentity <> '';
CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT '${redshiftVersion}'::text $$;
CREATE FUNCTION pg_catalog.pg_last_copy_id() RETURNS bigint LANGUAGE sql STABLE
  AS $$ SELECT coalesce(nullif(current_setting('redshift.last_copy_id', true), ''), '-1')::bigint $$;
CREATE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint LANGUAGE sql STABLE
  AS $$ SELECT coalesce(nullif(current_setting('redshift.last_copy_count', true), ''), '0')::bigint $$;
CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE
  AS $$ SELECT now()::timestamp(0) $$;
CREATE FUNCTION pg_catalog.len(text) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT length($1) $$;
CREATE FUNCTION pg_catalog.nvl(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE
  AS $$ SELECT coalesce($1, $2) $$;
`;
}
