import { assertComplaint, runSluice } from "../support/command_line.ts";
import { TempFiles } from "../support/temp_files.ts";

const wrong: [what: string, args: string[], complaint: string | RegExp][] = [
  ["no --from", [], "Cannot ingest: give --from s3://BUCKET/PREFIX or file:///DIR"],
  [
    "a store that is none",
    ["--from=/var/drops"],
    /give s3:\/\/BUCKET\/PREFIX or file:\/\/\/FOLDER/,
  ],
  [
    "a pattern that is none",
    ["--from=file:///tmp", "--key-pattern=("],
    /^Cannot read --key-pattern "\(": give a regular expression/,
  ],
  [
    "a folder that is not there",
    ["--from=file:///tmp/no-such-folder", "--once"],
    /^Cannot ingest from file:\/\/\/tmp\/no-such-folder: there is no such folder; create it/,
  ],
  ["a file for a folder", ["--from=file:///etc/passwd"], /it is a file; give its folder/],
  ["no workers", ["--from=file:///tmp", "--workers=0"], /--workers/],
];

for (const [what, args, complaint] of wrong) {
  Deno.test(`ingest refuses ${what}`, async () => {
    assertComplaint(await runSluice(["ingest", ...args]), 2, complaint);
  });
}

Deno.test("ingest --once gives 3 for a manifest that is wrong, and names the key", async () => {
  await using files = await TempFiles.of({ "manifest.json": '{"tabel": "t"}', "1.csv": "1\n" });
  const seen = await runSluice(["ingest", `--from=file://${files.folder}`, "--once"]);
  if (seen.code !== 3 || !/tabel.*table/.test(seen.stderr)) throw new Error(seen.stderr);
});
