import assert from "node:assert/strict";
import { type ObjectStore, openObjectStore } from "../../lib/clients/gcs.ts";
import { faultOf } from "../../lib/core/errors.ts";
import { realWorld } from "../../lib/core/world.ts";
import { refusal, Stub } from "./bigquery/stub.ts";

const world = realWorld(() => {});

/** Runs with a client of a stub that gives these answers. @returns what it was asked. */
async function withAnswers(
  answers: readonly unknown[],
  act: (store: ObjectStore, stub: Stub) => Promise<void>,
  options: { readonly callMs?: number; readonly signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  await using stub = await Stub.of(answers);
  await act(await openObjectStore({ endpoint: stub.endpoint, ...options }, world), stub);
  return stub.asked;
}

const item = (name: string) => ({
  name,
  size: "5",
  generation: "1795522223218763",
  timeCreated: "2026-01-02T03:04:05.678Z",
});

Deno.test("list() gives the objects of all pages, one request each", async () => {
  const answers = [{ items: [item("a/1")], nextPageToken: "x" }, { items: [item("a/2")] }];
  const asked = await withAnswers(answers, async (store) => {
    const found = await Array.fromAsync(store.list("b", "a/"));
    assert.deepEqual(found.map(({ name }) => name), ["a/1", "a/2"]);
    assert.deepEqual(found[0], {
      name: "a/1",
      sizeBytes: 5,
      generation: "1795522223218763",
      createdMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    });
  });
  const fields = encodeURIComponent("items(name,size,generation,timeCreated),nextPageToken")
    .replaceAll("(", "%28").replaceAll(")", "%29");
  const first = `GET /b/b/o?prefix=a%2F&maxResults=1000&fields=${fields}`;
  assert.deepEqual(asked, [first, `${first}&pageToken=x`]);
});

Deno.test("list() of nothing is empty", async () => {
  await withAnswers([{ kind: "storage#objects" }], async (store) => {
    assert.deepEqual(await Array.fromAsync(store.list("b", "a/")), []);
  });
});

Deno.test("delete() encodes the name and is fine with an object that is not there", async () => {
  const asked = await withAnswers([{ status: 204 }, refusal(404, "notFound")], async (store) => {
    await store.delete("b", "a/ü ?#1");
    await store.delete("b", "a");
  });
  assert.deepEqual(asked, ["DELETE /b/b/o/a%2F%C3%BC%20%3F%231", "DELETE /b/b/o/a"]);
});

Deno.test("copy() goes on with the token until the object is whole", async () => {
  const answers = [{ done: false, rewriteToken: "t1" }, { done: false, rewriteToken: "t2" }, {
    done: true,
  }];
  const asked = await withAnswers(answers, async (store) => {
    await store.copy({ bucket: "b", name: "a/1" }, { bucket: "c", name: "d/1" });
  });
  const path = "POST /b/b/o/a%2F1/rewriteTo/b/c/o/d%2F1";
  assert.deepEqual(asked, [
    `${path} {}`,
    `${path}?rewriteToken=t1 {}`,
    `${path}?rewriteToken=t2 {}`,
  ]);
});

Deno.test("bucketLocation() is in capitals, and null without the bucket", async () => {
  const asked = await withAnswers([{ location: "eu" }, refusal(404, "notFound")], async (store) => {
    assert.equal(await store.bucketLocation("b"), "EU");
    assert.equal(await store.bucketLocation("c"), null);
  });
  assert.deepEqual(asked, ["GET /b/b?fields=location", "GET /b/c?fields=location"]);
});

Deno.test("Failures of Cloud Storage are told by their kinds, and not tried again", async () => {
  for (
    const [status, reason, fault] of [
      [503, "backendError", "transient"],
      [429, "rateLimitExceeded", "transient"],
      [403, "forbidden", "denied"],
      [401, "required", "denied"],
      [400, "invalid", "permanent"],
    ] as const
  ) {
    const asked = await withAnswers([refusal(status, reason)], async (store) => {
      await assert.rejects(store.delete("b", "a"), { fault });
    });
    assert.equal(asked.length, 1);
  }
  await withAnswers([{}], async (store, stub) => {
    stub.proxy.faults.add({ do: "loseReply", when: () => true });
    await assert.rejects(store.delete("b", "a"), { fault: "transient", detail: /was cut/ });
    assert.equal(stub.proxy.calls.length, 1);
    assert.equal(stub.headers[0]?.["connection"], "close");
  });
});

Deno.test("A call to Cloud Storage that takes too long, or is given up, ends as transient", async () => {
  await withAnswers([{}], async (store, stub) => {
    stub.proxy.faults.add({ do: "stall", ms: 1_000, when: () => true });
    await assert.rejects(store.delete("b", "a"), { fault: "transient" });
  }, { callMs: 100 });
  await withAnswers([{}], async (store) => {
    await assert.rejects(store.delete("b", "a"), { fault: "transient", detail: /given up/ });
  }, { signal: AbortSignal.abort() });
});

Deno.test("An endpoint for Cloud Storage that is no URL, or holds a password, is refused", async () => {
  for (const endpoint of ["http://", "http://user:canary@host"]) {
    const opened = await openObjectStore({ endpoint }, world).catch((thrown) => thrown);
    assert.equal(faultOf(opened), "usage");
    assert.ok(!String(opened).includes("canary"));
  }
});
