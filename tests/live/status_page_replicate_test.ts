import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { startBrowser } from "../support/browser.ts";
import { isJob } from "../support/google_proxy_faults.ts";
import { DatasetPair, plain, someRows, startReplicating } from "../support/replicate_rig.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { delay, eventually } from "../support/waiting.ts";
import { meanwhile } from "./forwarding.ts";
import { look } from "./status_pages.ts";

const attack = "<img src=x onerror=alert(1)>";

/** A table that has no safe copy, one whose copy fails for a while, and one named as an attack. */
async function makeHardTables(pair: DatasetPair): Promise<void> {
  const tagged = {
    ...{ name: "id", type: "INTEGER" },
    policyTags: { names: ["projects/p/locations/us/taxonomies/1/policyTags/2"] },
  };
  await pair.fill("tagged", { schema: { fields: [tagged] } });
  await pair.fill("stubborn", plain, someRows(10));
  // The emulator's SQL takes no such name: the table is there for all but its rows.
  pair.server.catalog.add(pair.us(attack), plain).rows = 10;
  pair.server.proxy.faults.add({
    ...{ do: "answer", status: 503, reason: "backendError", message: "<b>come again</b>" },
    times: Infinity,
    when: isJob("extract", /"stubborn"|onerror/),
  });
}

/** Makes a table with rows again and again until it is told to stop. */
async function fillOn(pair: DatasetPair, signal: AbortSignal): Promise<void> {
  for (let n = 1; !signal.aborted; n++) {
    await pair.fill(`visits_${n}`, plain, someRows(20 + 20 * (n % 4)));
    await delay(400);
  }
}

/** What the table of tables says now: states by name. */
async function statesOn(page: Page): Promise<Map<string, string>> {
  const rows = await page.getByRole("table").filter({ hasText: "trouble" }).getByRole("row")
    .allInnerTexts();
  return new Map(rows.map((row) => row.split("\t").slice(0, 2) as [string, string]));
}

/** The table of tables follows the work, and the page asks for nothing more: all comes by one stream. */
async function lookAtTables(page: Page): Promise<void> {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const seen = new Map<string, Set<string>>();
  await eventually("tables come, change their state, and go", async () => {
    const now = await statesOn(page);
    for (const [name, state] of now) seen.set(name, (seen.get(name) ?? new Set()).add(state));
    const gone = [...seen].filter(([name]) => name.startsWith("visits_") && !now.has(name));
    return gone.some(([, states]) => states.size >= 2);
  });
  assert.deepEqual(asked, []);
}

/** What is wrong is told, and names and reasons that are HTML are text. */
async function lookAtTrouble(page: Page): Promise<void> {
  await page.getByRole("cell", { name: attack, exact: true }).waitFor();
  await page.getByRole("cell", { name: "<b>come again</b>" }).first().waitFor();
  await page.locator("#errors li").filter({ hasText: attack }).first().waitFor();
  await page.locator("#reasons li").filter({ hasText: `${attack}: ` }).waitFor();
  assert.equal(await page.locator("img, td *, li b, li script").count(), 0);
  for (const what of ["failed", "refused"]) {
    const figure = page.locator("#figures div").filter({
      hasText: `${what} in the last comparison`,
    });
    assert.match(await figure.locator("dd.bad").innerText(), /^[1-9]$/);
  }
}

async function lookAtReplicate(browser: Browser): Promise<void> {
  await using server = await startReplicating({ jobLatencyMs: 300, shardRows: 1_000 });
  const pair = await DatasetPair.make(server, "page");
  await makeHardTables(pair);
  await using replicate = await SluiceProcess.start([
    ...pair.args.filter((arg) => arg !== "--json"),
    ...["--via=extract", "--number-of-agents=4", "--retry-for=2s"],
    ...["--watch=300ms", "--http=127.0.0.1:0"],
  ], server.env());
  const stop = new AbortController();
  const filling = meanwhile(fillOn(pair, stop.signal));
  try {
    await look(browser, replicate, "replicate", "Rows", async (page) => {
      await lookAtTables(page);
      await lookAtTrouble(page);
    });
  } finally {
    stop.abort();
    await filling;
  }
  server.proxy.faults.clear();
  assert.equal(await replicate.end(), 0);
}

Deno.test({
  name: "the status page of replicate in a real browser",
  // Playwright keeps timers and pipes of its own until the browser has ended.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const browser = await startBrowser();
    try {
      await lookAtReplicate(browser);
    } finally {
      await browser.close();
    }
  },
});
