import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { keepPicture, openPage, type WatchedPage } from "../support/browser.ts";
import type { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";

/** How a plot is called and drawn now. */
async function plotNamed(page: Page, title: string): Promise<{ name: string; path: string }> {
  const plot = page.getByRole("img", { name: new RegExp(`^${title}: now `) });
  return {
    name: await plot.getAttribute("aria-label") ?? "",
    path: await plot.locator("path.line-0").getAttribute("d") ?? "",
  };
}

/** Waits until a plot shows work, then sees it move on. */
async function assertMoves(page: Page, title: string): Promise<void> {
  const isBusy = /at most (?!0\b)\S+/;
  const before = await eventually(`${title} shows work`, async () => {
    const plot = await plotNamed(page, title);
    return isBusy.test(plot.name) && plot.path.length > 20 && plot;
  });
  await eventually(`${title} moves`, async () => {
    const { path } = await plotNamed(page, title);
    return path !== before.path && path.length > before.path.length;
  });
}

/** What every daemon's page must be, whatever it shows. */
async function assertSound({ page, complaints }: WatchedPage, command: string): Promise<void> {
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), `sluice ${command}`);
  assert.match(await page.title(), new RegExp(`^${command} · `));
  await page.getByRole("status").filter({ hasText: /^(not )?ready$/ }).waitFor();
  for (const role of ["img", "table", "region"] as const) {
    for (const one of await page.getByRole(role).all()) {
      const name = await one.evaluate((element) => {
        const label = element.getAttribute("aria-labelledby");
        const inside = element.closest("[aria-label]")?.getAttribute("aria-label");
        return element.getAttribute("aria-label") ??
          (label === null ? inside : element.ownerDocument.getElementById(label)?.textContent);
      });
      assert.ok(name, `a ${role} without a name: ${await one.innerHTML()}`);
    }
  }
  assert.ok(await page.getByRole("img").count() >= 3);
  await page.getByText("Configuration", { exact: true }).click();
  assert.ok(await page.getByRole("row").filter({ hasText: "--http" }).isVisible());
  assert.deepEqual(complaints, []);
}

const looks = [
  { name: "", width: 1100, dark: false },
  { name: "-dark", width: 1100, dark: true },
  { name: "-phone-dark", width: 360, dark: true },
  { name: "-phone", width: 360, dark: false },
];

/** The page as a phone and as a dark browser show it: nothing sticks out at the side. */
async function assertFits(page: Page, command: string): Promise<void> {
  for (const { name, width, dark } of looks) {
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await page.setViewportSize({ width, height: 900 });
    const wide = await page.evaluate("document.documentElement.scrollWidth");
    assert.ok(Number(wide) <= width, `${name}: ${wide} of ${width}`);
    const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    assert.equal(ground, dark ? "rgb(20, 23, 26)" : "rgb(251, 251, 250)");
    assert.ok(await page.getByRole("cell").count() > 0, "tables stay tables");
    await keepPicture(page, `${command}${name}`);
  }
}

/**
 * Looks at a daemon that works.
 *
 * @param busyPlot the title of a plot that shows the work.
 * @param also looks at what only this daemon has.
 */
export async function look(
  browser: Browser,
  sluice: SluiceProcess,
  command: string,
  busyPlot: string,
  also: (page: Page) => Promise<void>,
): Promise<void> {
  const watched = await openPage(browser, await sluice.statusUrl());
  const { page } = watched;
  await assertMoves(page, busyPlot);
  await also(page);
  await assertSound(watched, command);
  await assertFits(page, command);
  assert.deepEqual(watched.complaints, []);
  await page.context().close();
}
