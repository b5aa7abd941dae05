import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { type Check, type Checks, onStage, RedshiftIngest } from "../support/redshift_ingest.ts";
import type { RedshiftStandIn } from "../support/redshift_stand_in.ts";
import { replacing } from "../support/stand_between.ts";

const copies = ({ statements }: RedshiftStandIn) =>
  statements.filter((sql) => sql.startsWith("COPY ")).length;

/** Loads are one COPY of exact files, in one transaction. */
const loads: Checks = {
  "merge: the keys that come replace, and the COPY is as it should be": async (
    { place, redshift, rows },
  ) => {
    await redshift.psql("INSERT INTO t VALUES (1, 'old'), (9, 'stays')");
    await place.manifest({ options: ["CSV GZIP", "IGNOREHEADER 1", "REGION 'us-east-1'"] });
    await place.put("t/1.gz", gzipSync("id,v\n1,new\n2,two\n"));
    await place.put("t/10.gz", gzipSync("id,v\n3,three\n"));
    // A prefix would take it: the list of files does not.
    await place.put("t/deeper/1.gz", gzipSync("id,v\n7,not ours\n"));
    const { code, counts, log } = await place.pass({ iamRole: redshift.role });
    assert.equal(code, 0, log);
    assert.deepEqual(await rows(), ["1|new", "2|two", "3|three", "9|stays"]);
    assert.deepEqual(await place.keys(), ["t/deeper/1.gz", "t/manifest.json"]);
    assert.deepEqual([counts.files, counts.rows, counts.commits], [2, 3, 1]);
    const [copy = "", ...others] = redshift.statements.filter((sql) => sql.startsWith("COPY "));
    assert.deepEqual(others, []);
    assert.match(
      copy,
      /^COPY "sluice_staging" \("id", "v"\) FROM 's3:\/\/drops-\d+\/in\/\.sluice\/ingest\/[0-9a-f]{24}\/[0-9a-f-]{36}\/1\.manifest' IAM_ROLE 'arn:[^']+' CSV GZIP IGNOREHEADER 1 REGION 'us-east-1' MANIFEST COMPUPDATE OFF STATUPDATE OFF$/,
    );
    const begin = redshift.statements.indexOf("BEGIN");
    assert.equal(redshift.statements[begin + 1], 'LOCK TABLE "t"');
    assert.ok(redshift.statements.some((sql) => /^SET statement_timeout TO 300000$/.test(sql)));
    const commits = redshift.statements.filter((sql) => /^(BEGIN|COMMIT|ROLLBACK)/.test(sql));
    assert.deepEqual(commits, ["BEGIN", "COMMIT"]);
  },
  "replace and append, and a file that is in the ledger is only deleted": async (
    { place, redshift, rows },
  ) => {
    await redshift.psql("INSERT INTO t VALUES (1, 'old'), (9, 'goes')");
    await place.manifest({ strategy: "replace" });
    await place.put("t/1.csv", "1,a\n1,a\n2,b\n");
    await place.pass({ keep: true });
    assert.deepEqual(await rows(), ["1|a", "2|b"]);
    await place.manifest({
      ...{ strategy: "append", "target-url": undefined, "jdbc-url": redshift.url("jdbc") },
    });
    await place.put("t/2.csv", "1,late\n4,d\n");
    const { counts } = await place.pass();
    assert.deepEqual(await rows(), ["1|a", "2|b", "4|d"]);
    assert.deepEqual([counts.ledgerSkips, counts.files], [1, 1]);
    assert.deepEqual(await place.keys(), ["t/manifest.json"]);
    assert.ok(!redshift.statements.some((sql) => /TRUNCATE/.test(sql)));
  },
  "the last file and line wins, in files of any size, without order-by": async (
    { place, redshift, rows },
  ) => {
    await place.manifest({ options: ["CSV", "IGNOREHEADER 2"] });
    const many = Array.from({ length: 3000 }, (_, n) => `${n % 7},n${n}`).join("\n");
    await place.put("t/1.csv", `id,v\n----\n${many}`);
    await place.put("t/2.csv", 'id,v\r\n----\r\n1,"x\r\ny"\r\n1,"last, of 1"\r\n8,eight\r\n');
    await place.put("t/3.csv", "id,v\n----\n");
    const { log, counts } = await place.pass();
    const lastOf = (id: number) => [...Array(3000).keys()].findLast((n) => n % 7 === id);
    const wanted = [0, 2, 3, 4, 5, 6].map((id) => `${id}|n${lastOf(id)}`);
    assert.deepEqual(await rows(), [...wanted, "1|last, of 1", "8|eight"].sort(), log);
    assert.equal(counts.rows, 3003);
    assert.equal(copies(redshift), 2);
  },
  "order-by needs no numbers but for ties; JSON with ties is numbered, too": async (
    { place, redshift, rows },
  ) => {
    await redshift.psql("ALTER TABLE t ADD COLUMN at int");
    await place.manifest({ columns: ["id", "v", "at"], "order-by": ["at desc"] });
    await place.put("t/1.csv", "1,new,9\n1,old,2\n");
    await place.put("t/2.csv", "1,older,1\n2,two,\n");
    await place.pass();
    assert.deepEqual(await rows(), ["1|new|9", "2|two|"]);
    assert.equal(copies(redshift), 1);
    await place.manifest({
      ...{ columns: ["id", "v", "at"], "order-by": ["at desc"], options: ["JSON 'auto'"] },
      "delete-when": "v = 'D'",
    });
    await place.put("t/3.json", '{"id":1,"v":"a","at":9}{"id":2,"at":4,"v":"u"}\n');
    await place.put("t/4.json", '{\n "v":"D",\n "at":9, "id":1\n}\n{"id":3,"v":"c"}');
    await place.pass();
    assert.deepEqual(await rows(), ["2|u|4", "3|c|"]);
    assert.equal(copies(redshift), 3);
  },
  "composite keys, where rows cannot be numbered: the same twice is one, others are refused":
    async (
      { place, rows },
    ) => {
      await place.manifest({ "pk-columns": ["id", "v"], options: ["DELIMITER '||'"] });
      await place.put("t/1.txt", "1||a\n1||b\n1||a\n");
      assert.equal((await place.pass()).code, 0);
      assert.deepEqual(await rows(), ["1|a", "1|b"]);
      await place.manifest({ options: ["DELIMITER '||'"] });
      await place.put("t/2.txt", "1||x\n1||y\n");
      const { code, log } = await place.pass();
      assert.equal(code, 3);
      assert.match(log, /rows with the same key differ, .* give order-by/);
      assert.deepEqual(await rows(), ["1|a", "1|b"]);
    },
};

/** Bad files are found, and the others load. */
const badFiles: Checks = {
  "one among twenty, by what Redshift notes": async ({ place, redshift, rows }) => {
    await place.manifest({});
    for (let n = 0; n < 20; n++) await place.put(`t/${n + 10}.csv`, `${n},v${n}\n`);
    await place.put("t/20.csv", '10,fine\n"x\n",bad é\n');
    const { code, log } = await place.pass();
    assert.equal(code, 3, log);
    assert.equal((await rows()).length, 19);
    assert.equal(copies(redshift), 2);
    const report = (await place.keys()).find((key) => key.endsWith("20.csv.json")) ?? "";
    const { line, column, reason, raw } = JSON.parse(await place.read(report));
    assert.deepEqual([line, column, raw], [2, "id", '"x']);
    assert.match(reason, /Invalid digit/);
  },
  "a damaged file, of which nothing is noted, by halving": async ({ place, redshift, rows }) => {
    await place.manifest({ options: ["CSV GZIP"] });
    for (let n = 0; n < 9; n++) await place.put(`t/${n}.gz`, gzipSync(`${n},v${n}\n`));
    await place.put("t/5.gz", gzipSync("5,bad\n").subarray(0, 12));
    const { code, log } = await place.pass();
    assert.equal(code, 3, log);
    assert.equal((await rows()).length, 8);
    assert.match(log, /Moved a file aside.*t\/5\.gz.*failed to decompress/);
    assert.ok(copies(redshift) <= 7);
  },
  "NULL in a key, and a NULL that the table does not take": async (
    { place, redshift, rows },
  ) => {
    await redshift.psql("ALTER TABLE t ALTER COLUMN v SET NOT NULL");
    await place.manifest({ options: ["CSV", "NULL AS ''", "EMPTYASNULL"] });
    await place.put("t/1.csv", "1,a\n2,b\n");
    await place.put("t/2.csv", "3,c\n,d\n4,d\n");
    await place.put("t/3.csv", "5,e\n6,\n");
    await place.put("t/4.csv", "7,f\n");
    const { code, log } = await place.pass();
    assert.equal(code, 3, log);
    assert.deepEqual(await rows(), ["1|a", "2|b", "7|f"]);
    const report = (await place.keys()).find((key) => key.endsWith("2.csv.json")) ?? "";
    const { line, column, raw } = JSON.parse(await place.read(report));
    assert.deepEqual([line, column, raw], [2, "id", ",d"]);
    assert.match(log, /t\/3\.csv.*null value in column/);
  },
  "no file is at fault when Redshift notes nothing and reads them all": async (
    { place, redshift },
  ) => {
    await place.manifest({});
    await place.put("t/1.csv", "1,a\n");
    redshift.faults.errorAt(/^COPY/, "Assert DETAIL: error: Assert code: 1000", "XX000");
    const { code, log } = await place.pass();
    assert.equal(code, 3);
    assert.match(log, /Assert code: 1000/);
    assert.deepEqual(await place.keys(), ["t/1.csv", "t/manifest.json"]);
    redshift.faults.errorAt(
      /^COPY/,
      "S3ServiceException:The bucket you are attempting to access must be addressed using the " +
        "specified endpoint.,Status 301,Error PermanentRedirect,Rid X,CanRetry 1",
      "XX000",
    );
    assert.match((await place.pass()).log, /add REGION '...' to the options/);
    assert.equal((await place.pass()).code, 0);
  },
  "the manifest is at fault when all files fail alike": async ({ place, rows }) => {
    await place.manifest({ columns: ["v", "id"] });
    for (let n = 0; n < 9; n++) await place.put(`t/${n}.csv`, `${n},v${n}\n`);
    const { code, log } = await place.pass();
    assert.equal(code, 3);
    assert.match(log, /all files fail alike/);
    assert.equal((await place.keys()).length, 10);
    assert.deepEqual(await rows(), []);
  },
  "rows that may be left out are counted, by MAXERROR as Redshift has it": async (
    { place, rows },
  ) => {
    await place.manifest({});
    await place.put("t/1.csv", "1,a\nx,b\n1,c\n");
    const { code, log, counts } = await place.pass({ maxErrors: 1 });
    assert.equal(code, 0, log);
    assert.deepEqual(await rows(), ["1|c"]);
    assert.equal(counts.rejectedRows, 1);
    const left = (await place.keys()).find((key) => key.endsWith("1.csv.rows.json")) ?? "";
    assert.match(await place.read(left), /"line": ?2.*"raw": ?"x,b"/s);
    for (const n of [2, 3, 4]) await place.put(`t/${n}.csv`, `${n},a\n${n === 3 ? "3" : "x"},b\n`);
    const second = await place.pass({ maxErrors: 1 });
    assert.equal(second.code, 3);
    assert.deepEqual(await rows(), ["1|c", "2|a", "3|b"], second.log);
    const moved = (await place.keys()).filter((key) => /_rejected.*\.csv$/.test(key));
    assert.deepEqual(moved.map((key) => key.split("/").at(-1)), ["4.csv"]);
  },
  "on-error stop leaves everything": async ({ place, rows }) => {
    await place.manifest({ "on-error": "stop" });
    await place.put("t/1.csv", "1,a\n");
    await place.put("t/2.csv", "x,a\n");
    const { code, log } = await place.pass();
    assert.equal(code, 3);
    assert.match(log, /Cannot load t\/2.csv, line 1, column id: /);
    assert.deepEqual(await rows(), []);
    assert.deepEqual(await place.keys(), ["t/1.csv", "t/2.csv", "t/manifest.json"]);
  },
  "what Redshift cannot do is refused before anything is opened": async (
    { place, redshift },
  ) => {
    await place.put("t/1.csv", "1,a\n");
    for (
      const [more, said] of [
        [{ options: [], format: "baldr" }, /format baldr into Redshift: its COPY cannot read/],
        [{ options: ["CSV EXPLICIT_IDS"] }, /EXPLICIT_IDS on Redshift/],
        [{ "pre-sql": ["TRUNCATE t"] }, /TRUNCATE ends the transaction/],
      ] as const
    ) {
      await place.manifest(more);
      const { log, code } = await place.pass();
      assert.equal(code, 3);
      assert.match(log, said);
    }
    const { log } = await place.pass({ iamRole: "my-role" });
    assert.match(log, /TRUNCATE|use "my-role" as IAM role/);
    assert.deepEqual(redshift.statements, []);
  },
};

/** Plans a trouble, and looks that all is loaded once, in so many more loads than one. */
async function conflict(
  { place, redshift, rows }: Check,
  plan: () => void,
  times = 1,
): Promise<void> {
  await place.manifest({ strategy: "append", "pk-columns": [] });
  await place.put("t/1.csv", "1,a\n2,b\n");
  plan();
  const { code, log, counts } = await place.pass();
  assert.equal(code, 0, log);
  assert.deepEqual(await rows(), ["1|a", "2|b"]);
  assert.equal(await redshift.psql("SELECT count(*) FROM sluice_ingest_ledger"), "1");
  assert.deepEqual(await place.keys(), ["t/manifest.json"]);
  assert.equal(counts.imports, times + 1);
}

/** Troubles pass, and each file is loaded once. */
const troubles: Checks = {
  "a serialisation conflict (1023) at COMMIT": (check) =>
    conflict(check, () => check.redshift.faults.conflictAt(/^COMMIT/, 2), 2),
  "a conflict at the INSERT": (check) =>
    conflict(check, () => check.redshift.faults.conflictAt(/^INSERT INTO "t"/)),
  "a lock that is not to be had in time": (check) =>
    conflict(check, () => check.redshift.faults.lockTimeoutAt(/^LOCK/)),
  "the connection is cut in the middle of COPY": (check) =>
    conflict(check, () => check.redshift.faults.dropAt(/^COPY/, "before")),
  "the connection is cut behind COPY": (check) =>
    conflict(check, () => check.redshift.faults.dropAt(/^COPY/, "after")),
  "the answer to COMMIT is lost, and it was done": (check) =>
    conflict(check, () => check.redshift.faults.dropAt(/^COMMIT/, "after"), 0),
  "the connection is cut before COMMIT comes": (check) =>
    conflict(check, () => check.redshift.faults.dropAt(/^COMMIT/, "before"), 0),
  "S3 is overloaded when Redshift reads it": (check) =>
    conflict(check, () =>
      check.redshift.faults.errorAt(
        /^COPY/,
        "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown,Rid X",
        "XX000",
      )),
  "two tables whose ledger is one, where transactions are serializable": async (
    { place, redshift, rows },
  ) => {
    const isolation = (level: string) =>
      redshift.psql(
        `ALTER DATABASE "${redshift.database}" SET default_transaction_isolation = '${level}'`,
      );
    await redshift.psql("DROP TABLE IF EXISTS u; CREATE TABLE u (LIKE t)");
    await place.manifest({});
    await place.manifest({ table: "u" }, "u");
    // The ledger is there already: to make it is another matter.
    await place.put("t/0.csv", "0,x\n");
    await place.pass();
    for (const directory of ["t", "u"]) await place.put(`${directory}/1.csv`, "1,a\n");
    redshift.faults.slowAt(/^COPY/, 500, 2);
    await isolation("serializable");
    try {
      const { code, log, counts } = await place.pass();
      assert.equal(code, 0, log);
      assert.deepEqual([counts.imports, counts.rollbacks], [2, 0], log);
    } finally {
      await isolation("read committed");
    }
    assert.deepEqual([await rows("t"), await rows("u")], [["0|x", "1|a"], ["1|a"]]);
  },
  "a file is put anew between COPY and the commit: the old rows are not kept": async (
    { place, rows, redshift },
  ) => {
    await place.manifest({});
    await place.put("t/1.csv", "1,old\n");
    await place.put("t/2.csv", "2,b\n");
    let isPut = false;
    const { log } = await place.pass({}, (store) =>
      replacing(store, {
        head: async (key) => {
          if (!isPut && copies(redshift) > 0) {
            isPut = true;
            await place.put("t/1.csv", "1,new\n");
          }
          return await store.head(key);
        },
      }));
    assert.deepEqual(await rows(), ["1|new", "2|b"], log);
    assert.deepEqual(await place.keys(), ["t/manifest.json"]);
  },
  "what killed loads have left goes with the next one; of others nothing does": async (
    { place, redshift },
  ) => {
    await place.manifest({});
    await place.put("t/1.csv", "1,a\n");
    await place.pass();
    const copy = redshift.statements.find((sql) => sql.startsWith("COPY ")) ?? "";
    const [, folder = ""] = /(\.sluice\/ingest\/[0-9a-f]{24})\//.exec(copy) ?? [];
    const killed = [`${folder}/dead/1.manifest`, `${folder}/dead/rows-0-0`];
    const others = [".sluice/ingest/00ff/other/1.manifest", ".sluice/else", `${folder}0/x/y`];
    for (const key of [...killed, ...others]) await place.put(key, "x");
    await place.put("t/2.csv", "2,b\n");
    await place.pass();
    assert.deepEqual(await place.keys(), [...others, "t/manifest.json"].sort());
    for (const key of others) await place.delete(key);
  },
  "killed behind the COPY of numbered rows: the next run leaves nothing of it": async (
    { place, redshift, rows },
  ) => {
    await place.manifest({});
    await place.put("t/1.csv", "1,a\n1,b\n");
    const killed = await place.process({ SLUICE_TEST_CRASH_AT: "after-copy" });
    assert.notEqual(killed.code, 0);
    const left = (await place.keys()).filter((key) => key.startsWith(".sluice/"));
    assert.equal(left.length, 3, killed.stderr);
    assert.deepEqual(await rows(), []);
    const { log } = await place.pass();
    assert.deepEqual(await rows(), ["1|b"], log);
    assert.equal(await redshift.psql("SELECT count(*) FROM sluice_ingest_ledger"), "1");
  },
  "a dry run has Redshift read the files, and loads and leaves nothing": async (
    { place, redshift, rows },
  ) => {
    await place.manifest({ columns: ["id", "v"] });
    for (let n = 0; n < 6; n++) await place.put(`t/${n}.csv`, n === 3 ? "x,3\n" : `${n},v\n`);
    const before = await place.keys();
    const bad = await place.dryRun(["id", "v"]);
    assert.deepEqual(bad.map(({ file, row }) => [file.key, row.line, row.column]), [
      ["t/3.csv", 1, "id"],
    ]);
    assert.ok(redshift.statements.some((sql) => / NOLOAD$/.test(sql)));
    assert.deepEqual(await rows(), []);
    assert.deepEqual(await place.keys(), before);
  },
  "no key of S3 and no password is in a log, whatever fails": async (
    { place, redshift },
  ) => {
    const { accessKey, secretKey } = redshift.s3;
    const words = `near "CREDENTIALS 'aws_access_key_id=${accessKey};` +
      `aws_secret_access_key=${secretKey}'"`;
    await place.manifest({});
    await place.put("t/1.csv", "1,a\n");
    redshift.faults.errorAt(/^COPY/, `syntax error at or ${words}`, "42601");
    const first = await place.pass();
    assert.match(first.log, /syntax error at or near .*\[secret\]/);
    redshift.faults.errorAt(
      /^COPY/,
      `S3ServiceException:Access Denied,Status 403,Error AccessDenied ${words}`,
      "XX000",
    );
    const second = await place.pass();
    assert.match(second.log, /Access Denied/);
    redshift.faults.errorAt(/^COPY/, `something went wrong ${words}`, "XX000");
    const third = await place.pass();
    assert.equal(third.code, 3);
    for (const { log } of [first, second, third]) {
      for (const secret of [secretKey, accessKey, redshift.postgres.password]) {
        assert.ok(!log.includes(secret), log);
      }
    }
    const texts = (await place.keys()).filter((key) => key.endsWith(".json"));
    for (const key of texts.filter((one) => one !== "t/manifest.json")) {
      assert.ok(!(await place.read(key)).includes(secretKey));
    }
  },
};

Deno.test("ingest loads into what stands in for Redshift", async (t) => {
  await using stage = await RedshiftIngest.start();
  await onStage(t, stage, loads);
  await onStage(t, stage, badFiles);
  await onStage(t, stage, troubles);
});
