import assert from "node:assert/strict";
import { serveStatus } from "../../../lib/clients/http.ts";
import { type PageSource, StatusPage } from "../../../lib/clients/status_page/status_page.ts";
import { type StatusView, tableRowsMost } from "../../../lib/core/status_view.ts";
import { eventually, within } from "../../support/waiting.ts";

const clock = { ms: 0 };
const work = { records: 0, fails: false, rows: 3 };
const recent = { lines: [] as PageSource["recent"]["lines"], version: 0 };

const view: StatusView = {
  plots: [
    {
      ...{ title: "Records", kind: "rate", unit: "count" },
      lines: [{
        label: "taken",
        read: () => {
          if (work.fails) throw new Error("a defect");
          return work.records;
        },
      }],
    },
    {
      ...{ title: "Held", kind: "level", unit: "bytes" },
      lines: [{ label: "held", read: () => work.records / 2 }, { label: "x", read: () => NaN }],
    },
  ],
  figures: [{ label: "records", unit: "count", read: () => work.records }],
  tables: [{
    ...{ title: "Rows", none: "None.", columns: [{ label: "row", unit: "text" }] },
    rows: () => Array.from({ length: work.rows }, (_, i) => [`row ${i}`]),
  }],
};

function pageOf(over: Partial<PageSource> = {}): StatusPage {
  Object.assign(clock, { ms: 0 });
  Object.assign(work, { records: 0, fails: false, rows: 3 });
  return new StatusPage({
    ...{ command: "test", version: "1", commit: "c", host: "h", view, recent },
    configuration: [["--topic", "<b>"]],
    notReady: () => [],
    nowMs: () => 1_700_000_000_000 + clock.ms,
    monotonicMs: () => clock.ms,
    ...over,
  });
}

function answer(page: StatusPage, path: string, method = "GET"): Response {
  const response = page.answer({ method }, path);
  assert.ok(response, `no answer to ${path}`);
  return response;
}

// deno-lint-ignore no-explicit-any -- what is sent is looked at field by field
type Told = { readonly name: string; readonly data: any };

/** Reads events of a stream as a browser would. */
class Events {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.ok(response.body);
    this.#reader = response.body.getReader();
  }

  async next(): Promise<Told> {
    while (!this.#text.includes("\n\n")) {
      const { done, value } = await this.#reader.read();
      if (done) return { name: "end", data: null };
      this.#text += this.#decoder.decode(value, { stream: true });
    }
    const at = this.#text.indexOf("\n\n");
    const [first = "", second = "", ...more] = this.#text.slice(0, at).split("\n");
    this.#text = this.#text.slice(at + 2);
    assert.deepEqual(more, []);
    return { name: first.slice("event: ".length), data: JSON.parse(second.slice("data: ".length)) };
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** A second in which so many records came. */
function second(page: StatusPage, records: number): void {
  clock.ms += 1_000;
  work.records += records;
  page.tick();
}

Deno.test("the page is one file that asks for nothing from elsewhere, under a policy that forbids it", async () => {
  const page = pageOf();
  const response = answer(page, "/");
  const html = await response.text();
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
  assert.doesNotMatch(html, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  assert.match(html, /<script>\/\/ The status page/);
  assert.match(html, /<style>:root/);
  // The hashes are those of what is between the tags.
  for (const [tag, rule] of [["script", "script-src"], ["style", "style-src"]] as const) {
    const content = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
    const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
    assert.ok(policy.includes(`${rule} 'sha256-${base64}'`), rule);
  }
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  page.close();
});

Deno.test("a newcomer is told what does not change, the past, and the present", async () => {
  const page = pageOf();
  for (const records of [10, 20, 30]) second(page, records);
  const events = new Events(answer(page, "/events"));
  const hello = await events.next();
  assert.equal(hello.name, "hello");
  assert.deepEqual([hello.data.command, hello.data.host, hello.data.startedMs], [
    ...["test", "h", 1_700_000_000_000],
  ]);
  assert.deepEqual(hello.data.configuration, [["--topic", "<b>"]]);
  assert.deepEqual(hello.data.plots[1], {
    ...{ title: "Held", kind: "level", unit: "bytes", labels: ["held", "x"] },
  });
  // There was nothing to compare the first reading with; what is no number is not known.
  assert.deepEqual(hello.data.history.map(({ values }: { values: unknown }) => values), [
    [[null], [5, null]],
    [[20], [15, null]],
  ]);
  const tick = await events.next();
  assert.equal(tick.name, "tick");
  assert.deepEqual(tick.data.values, [[30], [30, null]]);
  assert.deepEqual(tick.data.figures, [60]);
  assert.deepEqual(tick.data.tables, [{ rows: [["row 0"], ["row 1"], ["row 2"]], more: 0 }]);
  second(page, 5);
  assert.deepEqual((await events.next()).data.values, [[5], [32.5, null]]);
  page.close();
  assert.equal((await events.next()).name, "end");
});

Deno.test("a rate is for each second, however long the pause was; what goes down is no rate", async () => {
  const page = pageOf();
  second(page, 10);
  const events = new Events(answer(page, "/events"));
  await events.next();
  await events.next();
  clock.ms += 9_000;
  second(page, 50);
  assert.deepEqual((await events.next()).data.values[0], [5]);
  second(page, -20);
  assert.deepEqual((await events.next()).data.values[0], [0]);
  page.close();
});

Deno.test("what cannot be read is not known, and ends nothing", async () => {
  const page = pageOf();
  second(page, 1);
  const events = new Events(answer(page, "/events"));
  await events.next();
  await events.next();
  work.fails = true;
  second(page, 1);
  assert.deepEqual((await events.next()).data.values[0], [null]);
  work.fails = false;
  second(page, 1);
  second(page, 7);
  await events.next();
  assert.deepEqual((await events.next()).data.values[0], [7]);
  page.close();
});

Deno.test("reasons that cannot be read end nothing, either", async () => {
  const page = pageOf({
    notReady: () => {
      throw new Error("a defect");
    },
  });
  second(page, 1);
  const events = new Events(answer(page, "/events"));
  await events.next();
  assert.deepEqual((await events.next()).data.notReady, ["it cannot be told"]);
  page.close();
});

Deno.test("what is sent is bounded: rows, reasons, points", async () => {
  const page = pageOf({ notReady: () => Array(1_000).fill("r".repeat(10_000)) });
  work.rows = 5_000;
  for (let i = 0; i < 2_000; i++) second(page, 1);
  const events = new Events(answer(page, "/events"));
  const hello = await events.next();
  const { data } = await events.next();
  assert.ok(hello.data.history.length < 300);
  assert.equal(data.tables[0].rows.length, tableRowsMost);
  assert.equal(data.tables[0].more, 5_000 - tableRowsMost);
  assert.deepEqual([data.notReady.length, data.notReady[0].length], [20, 500]);
  page.close();
});

Deno.test("warnings are sent when there are new ones", async () => {
  const page = pageOf();
  const events = new Events(answer(page, "/events"));
  await events.next();
  assert.deepEqual((await events.next()).data.errors, []);
  second(page, 0);
  await events.next();
  second(page, 0);
  assert.ok(!("errors" in (await events.next()).data));
  const line = { atMs: 1, level: "warn", message: "<img src=x onerror=alert(1)>", fields: [] };
  Object.assign(recent, { lines: [line], version: recent.version + 1 });
  second(page, 0);
  assert.deepEqual((await events.next()).data.errors, [line]);
  Object.assign(recent, { lines: [], version: 0 });
  page.close();
});

Deno.test("as many pages as 32 may be open; who leaves makes room", async () => {
  const page = pageOf();
  const open = Array.from({ length: 32 }, () => new Events(answer(page, "/events")));
  const refused = answer(page, "/events");
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /as many status pages as allowed are open/);
  assert.equal(answer(page, "/events", "HEAD").status, 200);
  await open[0]?.cancel();
  assert.equal(answer(page, "/events").status, 200);
  page.close();
  assert.equal(answer(page, "/events").status, 503);
});

Deno.test("one who does not read costs a bound, and is let go after a minute", async () => {
  const page = pageOf();
  work.rows = 1_000;
  const lazy = Array.from({ length: 32 }, () => answer(page, "/events"));
  for (let i = 0; i < 1_000; i++) second(page, 1);
  assert.equal(answer(page, "/events").status, 200, "there is room again");
  await assert.rejects(lazy[0]?.text() ?? Promise.resolve());
  page.close();
});

Deno.test("other paths are not ours", () => {
  const page = pageOf();
  for (const path of ["/metrics", "/event", "/events/", "//", "/index.html"]) {
    assert.equal(page.answer({ method: "GET" }, path), null);
  }
  page.close();
});

Deno.test("a server with the page serves it beside the others, and stops although pages are open", async () => {
  const page = pageOf();
  const source = {
    page: () => Promise.resolve({ contentType: "text/plain", text: "up 1\n" }),
    notReady: () => [],
  };
  const server = serveStatus("127.0.0.1:0", source, page);
  const ask = async (path: string) => await (await fetch(server.url + path)).text();
  assert.match(await ask("/"), /^<!doctype html>/);
  assert.equal(await ask("/metrics"), "up 1\n");
  assert.equal(await ask("/readyz"), "ready\n");
  const { status, body } = await fetch(`${server.url}/`, { method: "HEAD" });
  await body?.cancel();
  assert.equal(status, 200);
  const events = new Events(await fetch(`${server.url}/events`));
  assert.equal((await events.next()).name, "hello");
  // One that never reads.
  const conn = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(new URL(server.url).port),
  });
  await conn.write(new TextEncoder().encode("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  work.rows = 1_000;
  await eventually("the real timer ticks", async () => (await events.next()).name === "tick");
  for (let i = 0; i < 2_000; i++) page.tick();
  assert.ok(await within(server.stop(), 60_000), "the stop came to no end");
  conn.close();
  await events.cancel().catch(() => {});
});
