import assert from "node:assert/strict";
import { startPostgres } from "../support/postgres_server.ts";
import { Daemon } from "./ingesting.ts";

interface Case {
  readonly what: string;
  /** Makes table `t`. */
  readonly sql: string;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
  /** What the log says when nothing is loaded and every file stays where it is. */
  readonly says?: RegExp;
  /** Else: the names of the files moved aside, and the rows that are in the table. */
  readonly moved?: readonly string[];
  readonly rows?: string;
}

const referenced = (how: string) =>
  "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE TABLE child (id int REFERENCES t " +
  `${how}); INSERT INTO t VALUES (2, 'old'); INSERT INTO child VALUES (2)`;

const raising = (condition: string, code: string) =>
  "CREATE TABLE t (id int PRIMARY KEY, name text); " +
  "CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF " +
  `${condition} THEN RAISE EXCEPTION 'no %', NEW.id ${code}; END IF; RETURN NEW; END $$; ` +
  "CREATE TRIGGER c BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION complain()";

const three = ["1,a\n", "2,b\n", "3,c\n"];
const five = [...three, "4,d\n", "5,e\n"];

/** Faults of the manifest or of the table, for which no file may be moved; then faults of files. */
const cases: readonly Case[] = [
  {
    what: "a column without default that the manifest leaves out",
    sql: "CREATE TABLE t (id int PRIMARY KEY, name text, must int NOT NULL)",
    files: three,
    says: /column "must" must not be NULL, has no default/,
  },
  {
    what: "rows that another table refers to",
    sql: referenced(""),
    files: three,
    says: /foreign key.*declare the foreign key DEFERRABLE/,
  },
  {
    what: "a staging-select that is wrong",
    sql: "CREATE TABLE t (id int, name text)",
    manifest: { "staging-select": "SELECT id, nme AS name FROM {{table}}" },
    files: three,
    says: /nme/,
  },
  {
    what: "a statement that fails without any file",
    sql: "CREATE TABLE t (id int, name text)",
    manifest: { "staging-select": "SELECT 1/0 AS id, name FROM {{table}}" },
    files: ["1,a\n"],
    says: /division by zero.*fails without any file, too/,
  },
  {
    what: "replace of rows that another table refers to",
    sql: referenced(""),
    manifest: { strategy: "replace" },
    files: ["1,a\n"],
    says: /replace deletes rows and inserts them anew/,
  },
  {
    what: "columns in the wrong order: all files fail alike",
    sql: "CREATE TABLE t (id int, name text)",
    manifest: { columns: ["name", "id"] },
    files: five,
    says: /all files fail alike, the first: t\/0\.csv, line 1, column id/,
  },
  {
    what: "a constraint that no row of any file meets",
    sql: "CREATE TABLE t (id int, name text CHECK (name = upper(name)))",
    files: [...five, ...five, ...five],
    says: /all files fail alike.*violates check constraint/,
  },
  {
    what: "a table that is not there",
    sql: "CREATE TABLE other (id int)",
    files: three,
    says: /"t" does not exist/,
  },
  {
    what: "a trigger fills in the column that is left out",
    sql: "CREATE TABLE t (id int, name text, must int NOT NULL); CREATE FUNCTION fill() " +
      "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.must := 7; RETURN NEW; END $$; " +
      "CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fill()",
    files: ["1,a\n"],
    moved: [],
    rows: "1|a|7",
  },
  {
    what: "a referenced row may be deleted and inserted when the key is deferrable",
    sql: referenced("DEFERRABLE INITIALLY DEFERRED"),
    files: three,
    moved: [],
    rows: "1|a\n2|b\n3|c",
  },
  {
    what: "two files are too few to suspect the manifest",
    sql: "CREATE TABLE t (id int, name text)",
    files: ["x,a\n", "y,b\n"],
    moved: ["0.csv", "1.csv"],
    rows: "",
  },
  {
    what: "many bad files, and one that is good",
    sql: "CREATE TABLE t (id int, name text CHECK (name = upper(name)))",
    files: [...five, "6,F\n"],
    moved: ["0.csv", "1.csv", "2.csv", "3.csv", "4.csv"],
    rows: "6|F",
  },
  {
    what: "a row that a trigger refuses",
    sql: raising("NEW.id = 2", ""),
    files: three,
    moved: ["1.csv"],
    rows: "1|a\n3|c",
  },
  {
    what: "a row that a trigger refuses with a code of its own",
    sql: raising("NEW.id = 2", "USING ERRCODE = 'MYAPP'"),
    files: three,
    moved: ["1.csv"],
    rows: "1|a\n3|c",
  },
  {
    what: "a value too long for its index",
    sql: "CREATE TABLE t (id int, name text); CREATE INDEX ON t (name)",
    files: [
      "1,a\n",
      `2,${Array.from({ length: 3_000 }, (_, n) => (n * 7919 % 99991).toString(36)).join("")}\n`,
    ],
    moved: ["1.csv"],
    rows: "1|a",
  },
  {
    what: "staging-select gives a key that is NULL",
    sql: "CREATE TABLE t (id int PRIMARY KEY, name text)",
    manifest: { "staging-select": "SELECT nullif(id, 2) AS id, name FROM {{table}}" },
    files: three,
    moved: ["1.csv"],
    rows: "1|a\n3|c",
  },
];

Deno.test("No file is moved aside for what is wrong with the manifest or the table", async (t) => {
  await using server = await startPostgres();
  for (const { what, sql, manifest, files, says, moved, rows } of cases) {
    await t.step(what, async () => {
      await using ingest = new Daemon({ once: true });
      await server.psql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
      await server.psql(sql);
      await ingest.manifest("t", {
        ...{ table: "t", "pk-columns": ["id"], columns: ["id", "name"], options: ["CSV"] },
        ...{ "target-url": server.url, ...manifest },
      });
      for (const [n, text] of files.entries()) await ingest.put(`t/${n}.csv`, text);
      const before = ingest.keys;
      const code = await ingest.once();
      const said = ingest.said.join("\n").replaceAll('\\"', '"');
      if (says !== undefined) {
        assert.match(said, says);
        assert.deepEqual(ingest.keys, before);
        assert.equal(code, 3, said);
        return;
      }
      const aside = ingest.keys.filter((key) => /_rejected.*csv$/.test(key));
      assert.deepEqual(aside.map((key) => key.replace(/.*\//, "")), moved, said);
      assert.equal(await server.psql("SELECT * FROM t ORDER BY id"), rows);
      assert.equal(code, moved?.length === 0 ? 0 : 3, said);
    });
  }
});
