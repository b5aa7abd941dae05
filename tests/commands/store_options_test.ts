import assert from "node:assert/strict";
import { storeOf, storeOptions, storeReadOptions } from "../../commands/store_options.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { resolveOptions } from "../../lib/core/resolve.ts";
import { realWorld } from "../../lib/core/world.ts";
import { withEnvironment } from "../support/own_environment.ts";
import { delay } from "../support/waiting.ts";

const world = realWorld(() => {});

/** Opens a store as the command `archive` would, with these variables. */
async function open(url: string, env: Record<string, string> = {}) {
  const values = await resolveOptions("archive", storeOptions, {
    flags: {},
    env,
    config: {},
    commands: ["archive"],
    readFile: () => Promise.reject(new Error("no file")),
  });
  return await storeOf(url, values, world);
}

const refused: [what: string, url: string, env: Record<string, string>, complaint: string][] = [
  [
    "both styles",
    "s3://bucket",
    { SLUICE_ARCHIVE_S3_PATH_STYLE: "yes", SLUICE_ARCHIVE_S3_HOST_STYLE: "yes" },
    "Cannot use --s3-path-style and --s3-host-style together: give one of them",
  ],
  [
    "a key without its encryption",
    "s3://bucket",
    { SLUICE_ARCHIVE_S3_SSE_KMS_KEY: "k", SLUICE_ARCHIVE_S3_SSE: "AES256" },
    "Cannot use --s3-sse-kms-key: give --s3-sse aws:kms with it",
  ],
  [
    "encryption of a folder",
    "file:///tmp",
    { SLUICE_ARCHIVE_S3_SSE: "AES256" },
    "Cannot use --s3-sse with a folder: only S3 encrypts what is put",
  ],
  [
    "an encryption that is none",
    "s3://bucket",
    { SLUICE_ARCHIVE_S3_SSE: "ROT13" },
    'Cannot use SLUICE_ARCHIVE_S3_SSE: cannot use "ROT13"; give one of AES256, aws:kms',
  ],
  [
    "a URL of something else",
    "ftp://host/a",
    {},
    "Cannot use a URL that begins ftp: as a store: give s3://BUCKET/PREFIX or file:///FOLDER",
  ],
  [
    "no URL at all",
    "bucket",
    {},
    "Cannot use a URL without a scheme as a store: give s3://BUCKET/PREFIX or file:///FOLDER",
  ],
];

for (const [what, url, env, complaint] of refused) {
  Deno.test(`a store: ${what} is refused with what to do`, async () => {
    await assert.rejects(open(url, env), (thrown) => {
      assert.ok(thrown instanceof SluiceError);
      assert.deepEqual([thrown.fault, thrown.message], ["usage", complaint]);
      return true;
    });
  });
}

/** The lines of the request that a store sends to list its bucket. */
function askedWith(env: Record<string, string>): Promise<string> {
  const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  return withEnvironment({ ...keys, AWS_CA_BUNDLE: undefined }, () => asked(env));
}

async function asked(env: Record<string, string>): Promise<string> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heads: string[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      const bytes = new Uint8Array(16_384);
      const length = await conn.read(bytes) ?? 0;
      heads.push(new TextDecoder().decode(bytes.subarray(0, length)));
      const xml = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
      const head = `HTTP/1.1 200 OK\r\ncontent-length: ${xml.length}\r\nconnection: close\r\n\r\n`;
      await conn.write(new TextEncoder().encode(head + xml));
      conn.close();
    }
  })();
  const store = await open("s3://bucket/prefix", {
    SLUICE_ARCHIVE_S3_ENDPOINT: `http://localhost:${listener.addr.port}`,
    ...env,
  });
  try {
    for await (const _ of store.list(""));
  } finally {
    await store.close();
    listener.close();
    await serving.catch(() => {});
    await delay(0);
  }
  return heads.join("");
}

Deno.test("endpoint and region are used; with an endpoint the bucket is in the path", async () => {
  const head = await askedWith({ SLUICE_ARCHIVE_S3_REGION: "eu-test-7" });
  assert.match(head, /^GET \/bucket\/?\?/);
  assert.match(head, /host: localhost:/i);
  assert.match(head, /\/eu-test-7\/s3\/aws4_request/);
});

Deno.test("--s3-host-style names the bucket in the host all the same", async () => {
  const head = askedWith({ SLUICE_ARCHIVE_S3_HOST_STYLE: "true" });
  // Some machines know the names below localhost, others do not.
  const said = await head.catch((thrown) => String(thrown));
  assert.match(said, /^GET \/\?[^]*host: bucket\.localhost:|its name is not known/i);
});

Deno.test("commands that only read have no options for what is put", () => {
  assert.deepEqual(Object.keys(storeReadOptions), [
    "s3-endpoint",
    "s3-region",
    "s3-path-style",
    "s3-host-style",
  ]);
});
