import assert from "node:assert/strict";
import type { Store } from "../../lib/clients/store/store.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import { accessTo, censored, checkRole } from "../../lib/ingest/redshift_access.ts";
import {
  addedOptions,
  isNumberable,
  optionText,
  plainOptions,
  refuseOnRedshift,
} from "../../lib/ingest/redshift_options.ts";

Deno.test("COPY's options go as they are written; ours are added where they are not said", () => {
  assert.equal(optionText(["CSV;", "NULL AS 'a;  b';"]), "CSV NULL AS 'a;  b'");
  assert.equal(addedOptions(["CSV"]), "COMPUPDATE OFF STATUPDATE OFF");
  assert.equal(addedOptions(["csv compupdate on"]), "STATUPDATE OFF");
  assert.equal(addedOptions(["FORMAT AS PARQUET"]), "STATUPDATE OFF");
  assert.equal(addedOptions(["NULL AS 'COMPUPDATE'"]), "COMPUPDATE OFF STATUPDATE OFF");
  assert.deepEqual(plainOptions(["CSV gzip", "NULL AS 'GZIP'"]), ["CSV  NULL AS 'GZIP'"]);
});

const numberable: readonly (readonly [string, boolean])[] = [
  ["CSV GZIP", true],
  ["DELIMITER '\\t' ESCAPE ZSTD", true],
  ["BZIP2", true],
  ["JSON", true],
  ["JSON AS 'auto ignorecase'", true],
  ["ENCODING UTF8", true],
  ["JSON 's3://bucket/paths.json'", false],
  ["FORMAT JSON AS 'noshred'", false],
  ["FORMAT PARQUET", false],
  ["LZOP", false],
  ["DELIMITER '||'", false],
  ["ENCODING UTF16", false],
];

for (const [options, expected] of numberable) {
  Deno.test(`rows of files by ${options} can ${expected ? "" : "not "}be numbered`, () => {
    assert.equal(isNumberable([options]), expected);
  });
}

const bucket = { url: "s3://bucket", keys: () => Promise.reject(new Error("not asked")) };

Deno.test("what Redshift cannot load is refused by name", () => {
  refuseOnRedshift({ format: "csv", options: ["CSV"] }, bucket);
  assert.throws(
    () => refuseOnRedshift({ format: "csv", options: [] }, { url: "file:///drops" }),
    /Cannot load file:\/\/\/drops into Redshift: its COPY reads from S3 alone/,
  );
  assert.throws(
    () => refuseOnRedshift({ format: "baldr", options: [] }, bucket),
    /format baldr into Redshift/,
  );
  assert.throws(
    () => refuseOnRedshift({ format: "csv", options: ["EXPLICIT_IDS"] }, bucket),
    /EXPLICIT_IDS/,
  );
});

Deno.test("a role goes before keys, and keys are seen by the server alone", async () => {
  const [id, secret, token] = ["AKIDEXAMPLE", "se'cret/key", "to+ken"];
  const store = {
    url: "s3://bucket",
    keys: () =>
      Promise.resolve({
        accessKeyId: new Secret(id),
        secretAccessKey: new Secret(secret),
        sessionToken: new Secret(token),
      }),
  } as unknown as Store;
  const arn = "arn:aws:iam::123456789012:role/team/load";
  assert.equal((await accessTo(store, arn)).clause.reveal(), `IAM_ROLE '${arn}'`);
  assert.equal((await accessTo(store, "default")).clause.reveal(), "IAM_ROLE default");
  const access = await accessTo(store, undefined);
  assert.equal(
    access.clause.reveal(),
    "CREDENTIALS 'aws_access_key_id=AKIDEXAMPLE;aws_secret_access_key=se''cret/key;token=to+ken'",
  );
  assert.equal(access.shown, "CREDENTIALS '[secret]'");
  const cause = new Error(secret);
  const said = censored(
    new SluiceError("copy", "permanent", `near ${secret} of ${id}, ${token}; se''cret/key`, {
      cause,
    }),
    access,
  );
  assert.ok(said instanceof SluiceError);
  assert.equal(said.message, "Cannot copy: near [secret] of [secret], [secret]; [secret]");
  assert.equal(said.cause, undefined);
});

Deno.test("a role that is none is refused", () => {
  const arn = "arn:aws:iam::123456789012:role/a";
  assert.equal(
    checkRole(`${arn},arn:aws-cn:iam::123456789012:role/b`),
    `${arn},arn:aws-cn:iam::123456789012:role/b`,
  );
  for (const role of ["", "load", `${arn}' CSV`, "arn:aws:iam::1:role/a"]) {
    assert.throws(() => checkRole(role), /as IAM role for Redshift: give arn:aws:iam/);
  }
});
