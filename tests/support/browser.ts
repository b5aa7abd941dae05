import { type Browser, chromium, type Page } from "playwright-core";
import { fileURLToPath } from "node:url";

/** Where screenshots are kept for people; git-ignored. */
const folder = fileURLToPath(new URL("../../dist/screenshots", import.meta.url));

/** How long anything of the browser may take on a busy machine; its own 30 s are for others. */
const patienceMs = 120_000;

const programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts the Chromium that this machine has. */
export async function startBrowser(): Promise<Browser> {
  for (const executablePath of programs) {
    if (!await Deno.stat(executablePath).catch(() => undefined)) continue;
    // Its own sandbox wants rights that root in a container does not have; all pages are ours.
    return await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: patienceMs });
  }
  throw new Error("Cannot find Chromium (Debian: apt-get install chromium)");
}

/** A page that keeps everything that the browser complains about. */
export interface WatchedPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

export async function openPage(browser: Browser, url: string): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (/error|warning/.test(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", async (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("request", (request) => {
    const isOurs = request.url().startsWith(url) || request.url().startsWith("data:");
    if (!isOurs) complaints.push(`asks for ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/** Keeps a picture of the whole page as dist/screenshots/NAME.png. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
