import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { serveStatus } from "../../lib/clients/http.ts";
import { StatusPage } from "../../lib/clients/status_page/status_page.ts";
import { folderPlace, startArchive, stopArchive } from "../support/archive_run.ts";
import { openPage, startBrowser } from "../support/browser.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { numberedLine } from "../support/numbered_lines.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { delay, eventually } from "../support/waiting.ts";
import { finish, meanwhile, startForwarding } from "./forwarding.ts";
import { Drops } from "./ingesting.ts";
import { look } from "./status_pages.ts";

/** Sends lines bit by bit until it is told to stop. */
async function sendOn(port: number, signal: AbortSignal): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const encoder = new TextEncoder();
  for (let n = 1; !signal.aborted; n++) {
    const lines = Array.from({ length: 40 + n % 30 }, (_, i) => numberedLine(n * 100 + i));
    const bytes = encoder.encode(`${lines.join("\n")}\n`);
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    await delay(20);
  }
  await conn.closeWrite();
  while (await conn.read(new Uint8Array(1024)) !== null);
  conn.close();
}

async function lookAtKafkas(browser: Browser, kafka: KafkaServer): Promise<void> {
  await using place = await folderPlace();
  await using archive = await startArchive(place, kafka.bootstrap, ["--rotate-interval=1s"]);
  await using forward = await startForwarding([`--kafka=${kafka.bootstrap}`, "--topic=lines"]);
  const stop = new AbortController();
  const sent = meanwhile(sendOn(await forward.port("tcp"), stop.signal));
  await look(browser, forward, "forward-syslog", "Records", async (page) => {
    const table = page.getByRole("table").filter({ hasText: "lines" }).first();
    await eventually(
      "both partitions in the table",
      async () => /lines2/.test(await table.textContent() ?? ""),
    );
  });
  await look(browser, archive, "archive", "Records", async (page) => {
    await page.getByRole("cell", { name: "lines-1", exact: true }).waitFor();
    await eventually(
      "both partitions are read",
      async () => await page.getByRole("cell", { name: "reading" }).count() >= 2,
    );
  });
  // The end of the daemon is seen on the page that was left open.
  const { page } = await openPage(browser, await archive.statusUrl());
  await page.getByRole("img").first().waitFor();
  stop.abort();
  await sent;
  await finish(forward);
  await stopArchive(archive);
  await page.getByText("no answer; these are the last figures").waitFor();
  await page.context().close();
}

const canary = "canary-7f3a";

/** Files that come and come, a directory named as an attack, and one with a secret that is wrong. */
async function lookAtIngest(browser: Browser): Promise<void> {
  await using server = await startPostgres();
  await using drops = await Drops.make();
  await server.psql("CREATE TABLE people (id int PRIMARY KEY, name text)");
  const manifest = {
    ...{ table: "people", "pk-columns": ["id"], columns: ["id", "name"], options: ["CSV"] },
    "target-url": server.url,
  };
  await drops.manifest("people", manifest);
  const attack = "<img src=x onerror=alert(1)>";
  await drops.manifest(attack, { ...manifest, table: "</td><script>alert(2)</script>" });
  await drops.put(`${attack}/1.csv`, "1,a\n");
  const wrong = `postgres://nobody:${canary}@127.0.0.1:1/none`;
  await drops.manifest("wrong", { ...manifest, "target-url": wrong });
  await drops.put("wrong/1.csv", "1,a\n");
  await using ingest = await SluiceProcess.start([
    ...["ingest", `--from=${drops.url}`, "--http=127.0.0.1:0", "--poll-interval=200ms"],
  ], { AWS_SECRET_ACCESS_KEY: canary });
  const stop = new AbortController();
  const dropping = meanwhile((async () => {
    for (let n = 1; !stop.signal.aborted; n++) {
      const rows = Array.from({ length: 300 }, (_, i) => `${(n * 300 + i) % 5_000},name ${i}\n`);
      await drops.put(`people/${n}.csv`, rows.join(""));
      await delay(150);
    }
  })());
  await look(browser, ingest, "ingest", "Rows", async (page) => {
    await page.getByRole("cell", { name: attack, exact: true }).waitFor();
    await page.getByRole("cell", { name: "people", exact: true }).waitFor();
    await page.locator("#errors li").nth(1).waitFor();
    assert.equal(await page.locator("img, td script, li script").count(), 0);
    assert.ok(!(await page.content()).includes(canary), "no secret on the page");
  });
  stop.abort();
  await dropping;
  const events = new AbortController();
  const response = await fetch(`${await ingest.statusUrl()}/events`, { signal: events.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream() as never).getReader();
  let told = "";
  while (!told.includes("\n\n")) {
    const part = await reader?.read();
    assert.ok(part !== undefined && !part.done, told);
    told += part.value;
  }
  assert.match(told, /^event: hello\n/);
  assert.ok(!told.includes(canary), "nor in what it is made of");
  events.abort();
  await reader?.cancel().catch(() => {});
  assert.equal(await ingest.end(), 0);
}

/** The plots of a page whose seconds this test makes: how they grow, and a clock that is set back. */
async function lookAtTime(browser: Browser): Promise<void> {
  let nowMs = 1_700_000_000_000;
  let value = 0;
  const page = new StatusPage({
    ...{ command: "test", version: "1", commit: "c", host: "h", configuration: [] },
    view: {
      plots: [{
        ...{ title: "Level", kind: "level", unit: "count" },
        lines: [{ label: "value", read: () => value }],
      }],
      figures: [{ label: "unknown", unit: "seconds", read: () => null }],
      tables: [],
    },
    recent: { lines: [], version: 0 },
    notReady: () => [],
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
  });
  const source = { page: () => Promise.reject(new Error("not asked for")), notReady: () => [] };
  const server = serveStatus("127.0.0.1:0", source, page);
  const seconds = (count: number) => {
    for (let i = 0; i < count; i++) {
      nowMs += 1_000;
      value++;
      page.tick();
    }
  };
  try {
    seconds(50);
    const watched = await openPage(browser, server.url);
    const plot = async () => {
      const path = await watched.page.locator("path.line-0").getAttribute("d") ?? "";
      // The page's own timer may have told a moment twice.
      const xs = [
        ...new Set([...path.matchAll(/[ML](\S+)/g)].map(([, x]) => Math.round(Number(x)))),
      ];
      const since = await watched.page.locator(".axis span").first().textContent();
      return { since, first: xs[0], last: xs.at(-1), count: xs.length };
    };
    const shows = (what: string, wanted: Awaited<ReturnType<typeof plot>>) =>
      eventually(what, async () => JSON.stringify(await plot()) === JSON.stringify(wanted));
    await shows("a minute", { since: "1 min ago", first: 300 - 49 * 5, last: 300, count: 50 });
    seconds(50);
    await shows("minutes", { since: "5 min ago", first: 300 - 99, last: 300, count: 100 });
    nowMs -= 3_600_000;
    seconds(4);
    await shows("a new past", { since: "1 min ago", first: 300 - 3 * 5, last: 300, count: 4 });
    assert.equal(await watched.page.locator("dd").textContent(), "–");
    assert.deepEqual(watched.complaints, []);
    await watched.page.context().close();
  } finally {
    await server.stop();
  }
}

Deno.test({
  name: "the status page in a real browser",
  // Playwright keeps timers and pipes of its own until the browser has ended.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    const browser = await startBrowser();
    try {
      await t.step("of any daemon, as time goes by", () => lookAtTime(browser));
      await t.step("of ingest, with hostile names", () => lookAtIngest(browser));
      await using kafka = await startKafka({});
      await kafka.createTopic("lines", { partitions: 2 });
      await t.step("of forward-syslog and archive", () => lookAtKafkas(browser, kafka));
    } finally {
      await browser.close();
    }
  },
});
