import assert from "node:assert/strict";
import {
  type BigQueryClient,
  openBigQuery,
  reasonOf,
} from "../../../lib/clients/bigquery/bigquery.ts";
import { faultOf } from "../../../lib/core/errors.ts";
import { realWorld } from "../../../lib/core/world.ts";
import { refusal, Stub } from "./stub.ts";

const world = realWorld(() => {});
const table = { projectId: "p", datasetId: "d", tableId: "t" };
const job = {
  jobReference: { projectId: "p", jobId: "j", location: "EU" },
  status: { state: "DONE" },
};

/** Runs with a client of a stub that gives these answers. @returns what it was asked. */
async function withAnswers(
  answers: readonly unknown[],
  act: (client: BigQueryClient, stub: Stub) => Promise<void>,
  options: { readonly callMs?: number; readonly signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  await using stub = await Stub.of(answers);
  await act(await openBigQuery({ endpoint: stub.endpoint, ...options }, world), stub);
  return stub.asked;
}

/** Each method, the answers that it gets, and the requests that it makes for them: all of them. */
const calls: readonly (readonly [
  name: string,
  act: (client: BigQueryClient) => Promise<unknown>,
  answers: readonly unknown[],
  asked: readonly string[],
])[] = [
  ["getDataset", (c) => c.getDataset("p", "d"), [{ location: "EU" }], [
    "GET /projects/p/datasets/d",
  ]],
  [
    "listTables",
    (c) => Array.fromAsync(c.listTables("p", "d")),
    [{ tables: [{ tableReference: table, type: "TABLE" }], nextPageToken: "x&y" }, {}],
    [
      "GET /projects/p/datasets/d/tables?maxResults=1000",
      "GET /projects/p/datasets/d/tables?maxResults=1000&pageToken=x%26y",
    ],
  ],
  ["getTable", (c) => c.getTable(table), [{}], ["GET /projects/p/datasets/d/tables/t"]],
  [
    "getTable of a partition",
    (c) => c.getTable({ ...table, tableId: "t$20260101" }),
    [{}],
    ["GET /projects/p/datasets/d/tables/t%2420260101"],
  ],
  [
    "getTable with a domain's project and letters of other scripts",
    (c) => c.getTable({ projectId: "example.com:p", datasetId: "d", tableId: "t ä/日" }),
    [{}],
    ["GET /projects/example.com%3Ap/datasets/d/tables/t%20%C3%A4%2F%E6%97%A5"],
  ],
  [
    "createTable",
    (c) => c.createTable(table, { description: "{{projectId}}" }),
    [{}],
    [
      'POST /projects/p/datasets/d/tables {"description":"{{projectId}}","tableReference":' +
      '{"projectId":"p","datasetId":"d","tableId":"t"}}',
    ],
  ],
  [
    "patchTable",
    (c) => c.patchTable(table, { description: null }),
    [{}],
    ['PATCH /projects/p/datasets/d/tables/t {"description":null}'],
  ],
  ["deleteTable", (c) => c.deleteTable(table), [{ status: 204 }], [
    "DELETE /projects/p/datasets/d/tables/t",
  ]],
  [
    "insertJob",
    (c) => c.insertJob("p", "j", "EU", { load: {} }),
    [job],
    [
      'POST /projects/p/jobs {"jobReference":{"projectId":"p","jobId":"j","location":"EU"},' +
      '"configuration":{"load":{}}}',
    ],
  ],
  [
    "dryRun",
    (c) => c.dryRun("p", undefined, { query: { query: "SELECT 1" } }),
    [job],
    ['POST /projects/p/jobs {"configuration":{"query":{"query":"SELECT 1"},"dryRun":true}}'],
  ],
  ["getJob", (c) => c.getJob("p", "j", "EU"), [job], ["GET /projects/p/jobs/j?location=EU"]],
  [
    "listRoutines",
    (c) => Array.fromAsync(c.listRoutines("p", "d")),
    [{}],
    ["GET /projects/p/datasets/d/routines?maxResults=1000"],
  ],
  [
    "getRoutine",
    (c) => c.getRoutine({ projectId: "p", datasetId: "d", routineId: "r" }),
    [{}],
    ["GET /projects/p/datasets/d/routines/r"],
  ],
  [
    "createRoutine",
    (c) => c.createRoutine({ projectId: "p", datasetId: "d", routineId: "r" }, { language: "SQL" }),
    [{}],
    [
      'POST /projects/p/datasets/d/routines {"language":"SQL","routineReference":' +
      '{"projectId":"p","datasetId":"d","routineId":"r"}}',
    ],
  ],
  [
    "updateRoutine",
    (c) => c.updateRoutine({ projectId: "p", datasetId: "d", routineId: "r" }, {}),
    [{}],
    [
      "PUT /projects/p/datasets/d/routines/r " +
      '{"routineReference":{"projectId":"p","datasetId":"d","routineId":"r"}}',
    ],
  ],
  [
    "listRowAccessPolicies",
    (c) => Array.fromAsync(c.listRowAccessPolicies(table)),
    [{}],
    ["GET /projects/p/datasets/d/tables/t/rowAccessPolicies"],
  ],
  [
    "createRowAccessPolicy",
    (c) => c.createRowAccessPolicy(table, "a", { filterPredicate: "x = 1" }),
    [{}],
    [
      'POST /projects/p/datasets/d/tables/t/rowAccessPolicies {"filterPredicate":"x = 1",' +
      '"rowAccessPolicyReference":{"projectId":"p","datasetId":"d","tableId":"t","policyId":"a"}}',
    ],
  ],
];

for (const [name, act, answers, asked] of calls) {
  Deno.test(`${name} makes these requests and no others`, async () => {
    const found = await withAnswers(answers, async (client) => void await act(client));
    assert.deepEqual(found, asked);
  });
}

Deno.test("patchTable names the etag that it is for", async () => {
  await withAnswers([{}], async (client, stub) => {
    await client.patchTable(table, {}, '"e1"');
    assert.equal(stub.headers[0]?.["if-match"], '"e1"');
    assert.match(stub.headers[0]?.["user-agent"] ?? "", /^sluice /);
  });
});

Deno.test("What is not there is null, and deleting it is fine", async () => {
  const gone = refusal(404, "notFound");
  await withAnswers([gone, gone, gone, gone, gone], async (client) => {
    assert.equal(await client.getDataset("p", "d"), null);
    assert.equal(await client.getTable(table), null);
    assert.equal(await client.getJob("p", "j", "US"), null);
    assert.equal(await client.getRoutine({ ...table, routineId: "r" }), null);
    await client.deleteTable(table);
  });
});

Deno.test("The library makes no second try: one request for each failure", async () => {
  for (
    const [status, reason, fault] of [
      [503, "backendError", "transient"],
      [500, "internalError", "transient"],
      [429, "rateLimitExceeded", "transient"],
      [403, "rateLimitExceeded", "transient"],
      [403, "accessDenied", "denied"],
      [409, "duplicate", "permanent"],
    ] as const
  ) {
    const asked = await withAnswers([refusal(status, reason)], async (client) => {
      await assert.rejects(client.createTable(table, {}), (thrown: unknown) => {
        assert.deepEqual([faultOf(thrown), reasonOf(thrown)], [fault, reason]);
        return true;
      });
    });
    assert.equal(asked.length, 1);
  }
});

Deno.test("A connection that ends without an answer is transient, and not tried again", async () => {
  await withAnswers([{}], async (client, stub) => {
    stub.proxy.faults.add({ do: "loseRequest", when: () => true, times: Infinity });
    await assert.rejects(client.getTable(table), { fault: "transient", detail: /was cut/ });
    assert.equal(stub.proxy.calls.length, 1);
  });
  const nobody = await openBigQuery({ endpoint: "http://127.0.0.1:1" }, world);
  await assert.rejects(nobody.getTable(table), { fault: "transient", detail: /nobody listens/ });
});

Deno.test("A connection that is cut is heard of at once, also behind calls that went well", async () => {
  await withAnswers([{}, {}, {}, {}], async (client, stub) => {
    for (let i = 0; i < 3; i++) await client.getTable(table);
    stub.proxy.faults.add({ do: "loseReply", when: () => true });
    const begun = performance.now();
    await assert.rejects(client.patchTable(table, {}), { fault: "transient", detail: /was cut/ });
    assert.ok(performance.now() - begun < 45_000);
    assert.equal(stub.proxy.calls.length, 4);
  });
});

Deno.test("An answer that is cut is transient, and told at once", async () => {
  await withAnswers([{ location: "EU", description: "x".repeat(1_000) }], async (client, stub) => {
    stub.proxy.faults.add({ do: "cutReply", when: () => true });
    const begun = performance.now();
    await assert.rejects(client.getDataset("p", "d"), { fault: "transient" });
    assert.ok(performance.now() - begun < 45_000);
    assert.equal(stub.proxy.calls.length, 1);
  });
});

Deno.test("An answer that is no JSON is transient", async () => {
  await using server = serveText("<html>a proxy</html>");
  const client = await openBigQuery({ endpoint: server.endpoint }, world);
  await assert.rejects(client.getTable(table), { fault: "transient", detail: /no JSON/ });
});

Deno.test("A call that takes too long, or is given up, ends as transient", async () => {
  await withAnswers([{}], async (client, stub) => {
    // It is not answered before it has been given up.
    const { promise: isGivenUp, resolve } = Promise.withResolvers<void>();
    stub.proxy.faults.add({ do: "run", act: () => isGivenUp, when: () => true });
    await assert.rejects(client.getTable(table), {
      fault: "transient",
      detail: /in 100 ms|in time/,
    }).finally(resolve);
  }, { callMs: 100 });
  const stop = new AbortController();
  await withAnswers([{}], async (client, stub) => {
    stub.proxy.faults.add({ do: "stall", ms: 1_000, when: () => true });
    const asked = client.getTable(table);
    stop.abort();
    await assert.rejects(asked, { fault: "transient", detail: /given up/ });
    await assert.rejects(client.getTable(table), { fault: "transient", detail: /given up/ });
  }, { signal: stop.signal });
});

const insertAndRead = ["POST /projects/p/jobs", "GET /projects/p/jobs/j?location=EU"];

function insert(client: BigQueryClient) {
  return client.insertJob("p", "j", "EU", { load: {} });
}

Deno.test("insertJob attaches to a job of its id, and to one whose answer was lost", async () => {
  for (const failure of [refusal(409, "duplicate"), refusal(503, "backendError"), null]) {
    const answers = failure === null ? [job, job] : [failure, job];
    const asked = await withAnswers(answers, async (client, stub) => {
      if (failure === null) stub.proxy.faults.add({ do: "loseReply", when: () => true });
      assert.deepEqual(await insert(client), { job, attached: true });
    });
    assert.deepEqual(asked.map((one) => one.split(" {")[0]), insertAndRead);
  }
});

Deno.test("insertJob tells why it failed when the job is not there", async () => {
  const answers = [refusal(503, "backendError"), refusal(404, "notFound")];
  const asked = await withAnswers(answers, async (client) => {
    await assert.rejects(insert(client), { fault: "transient", detail: /backendError/ });
  });
  assert.equal(asked.length, 2);
});

Deno.test("insertJob does not look for a job after a refusal", async () => {
  for (
    const failure of [
      refusal(403, "rateLimitExceeded"),
      refusal(429, "jobRateLimitExceeded"),
      refusal(403, "accessDenied"),
      refusal(400, "invalid"),
      refusal(404, "notFound"),
    ]
  ) {
    const asked = await withAnswers([failure], async (client) => {
      await assert.rejects(insert(client));
    });
    assert.equal(asked.length, 1);
  }
});

Deno.test("queryRows gives texts, nulls, and what is nested as JSON, page by page", async () => {
  const row = (...values: unknown[]) => ({ f: values.map((v) => ({ v })) });
  const answers = [
    {
      jobComplete: true,
      rows: [row("1", null), row("9223372036854775807", [{ v: "a" }])],
      pageToken: "2",
    },
    { jobComplete: true, rows: [row("", { f: [{ v: null }] })] },
  ];
  const found: (readonly (string | null)[])[] = [];
  const asked = await withAnswers(answers, async (client) => {
    for await (const cells of client.queryRows("p", "j", "EU")) found.push(cells);
  });
  assert.deepEqual(found, [
    ["1", null],
    ["9223372036854775807", '[{"v":"a"}]'],
    ["", '{"f":[{"v":null}]}'],
  ]);
  const query = "location=EU&maxResults=10000";
  const options = "formatOptions.useInt64Timestamp=true&timeoutMs=20000";
  assert.deepEqual(asked, [
    `GET /projects/p/queries/j?${query}&${options}`,
    `GET /projects/p/queries/j?${query}&pageToken=2&${options}`,
  ]);
});

Deno.test("queryRows of a query that still runs is transient", async () => {
  await withAnswers([{ jobComplete: false }], async (client) => {
    const rows = Array.fromAsync(client.queryRows("p", "j", "EU"));
    await assert.rejects(rows, { fault: "transient" });
  });
});

Deno.test("listPartitions asks one query, and for its other pages", async () => {
  const row = (...values: unknown[]) => ({ f: values.map((v) => ({ v })) });
  const jobReference = { projectId: "p", jobId: "q", location: "EU" };
  const answers = [
    { jobReference, jobComplete: false },
    { jobReference, jobComplete: false },
    { jobReference, jobComplete: true, rows: [row("20260101", "2", "32", "5")], pageToken: "x" },
    { jobReference, jobComplete: true, rows: [row("__NULL__", "1", null, null)] },
  ];
  const asked = await withAnswers(answers, async (client) => {
    const place = { projectId: "p", location: "EU" };
    assert.deepEqual(await Array.fromAsync(client.listPartitions(table, place)), [
      { partitionId: "20260101", totalRows: "2", totalLogicalBytes: "32", lastModifiedTime: "5" },
      { partitionId: "__NULL__", totalRows: "1", totalLogicalBytes: "0", lastModifiedTime: "" },
    ]);
  });
  assert.deepEqual(asked.map((one) => one.split(/[? ]/).slice(0, 2).join(" ")), [
    "POST /projects/p/queries",
    "GET /projects/p/queries/q",
    "GET /projects/p/queries/q",
    "GET /projects/p/queries/q",
  ]);
  assert.match(asked[0] ?? "", /`p\.d\.INFORMATION_SCHEMA\.PARTITIONS`.*"value":"t"/);
});

Deno.test("listPartitions lets no name end the quotes in its query", async () => {
  await withAnswers([], async (client) => {
    const table = { projectId: "p", datasetId: "d`; DROP", tableId: "t" };
    const listed = client.listPartitions(table, { projectId: "p", location: "EU" });
    await assert.rejects(async () => await Array.fromAsync(listed), { fault: "usage" });
  });
});

Deno.test("An endpoint that is no URL, or holds a password, is refused", async () => {
  for (const endpoint of ["http://", "http://user:canary@host"]) {
    const opened = await openBigQuery({ endpoint }, world).catch((thrown) => thrown);
    assert.equal(faultOf(opened), "usage");
    assert.ok(!String(opened).includes("canary"));
  }
});

function serveText(text: string) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(text),
  );
  return {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
