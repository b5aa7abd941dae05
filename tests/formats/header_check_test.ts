import assert from "node:assert/strict";
import { parseCopyOptions } from "../../lib/formats/copy_options.ts";
import { checkHeader } from "../../lib/formats/header_check.ts";

const cases: [options: string, file: string, said: string | RegExp][] = [
  ["CSV", "id,at\n", "none"],
  ["JSON 'auto' IGNOREHEADER 1", "{}\n", "none"],
  ["CSV IGNOREHEADER 1", "id,at\n1,2\n", "same"],
  ["CSV IGNOREHEADER 1", '\ufeff"ID", At \r\n', "same"],
  ["DELIMITER '\\t' IGNOREHEADER 2", "made by x\nid\tat\n1\t2\n", "same"],
  ["CSV IGNOREHEADER 1", 'id,at\n1,"2', "same"],
  ["CSV IGNOREHEADER 1", 'id,at\n1,2"3"\n', "same"],
  ["CSV IGNOREHEADER 1", "id,", "unseen"],
  ["CSV IGNOREHEADER 1", "", "unseen"],
  ["CSV IGNOREHEADER 1", "at,id\n", /^field 1 is "at" where the columns have "id"/],
  ["CSV IGNOREHEADER 1", "id\n", /^"at" is missing$/],
  ["CSV IGNOREHEADER 1", "id,att\n", /^"at" is missing \(the file has "att"\), "att" is none/],
  ["CSV IGNOREHEADER 1", "id,at,more\n", /^"more" is none of the columns$/],
  ["CSV IGNOREHEADER 1", "id,at,at\n", /^field 3 is "at" where the columns have "nothing"/],
  ["CSV IGNOREHEADER 1", '"id"x,at\n', /^the header line cannot be read: .*line 1/],
];

for (const [options, file, said] of cases) {
  Deno.test(`checkHeader() says ${said} of ${JSON.stringify(file)} with ${options}`, () => {
    const bytes = new TextEncoder().encode(file);
    const verdict = checkHeader(bytes, parseCopyOptions([options]), ["id", "at"], false);
    if (typeof said === "string") assert.deepEqual(verdict, { kind: said });
    else assert.match(verdict.kind === "different" ? verdict.complaint : verdict.kind, said);
  });
}

Deno.test("checkHeader() reads the last line of a whole file without its line feed", () => {
  const bytes = new TextEncoder().encode("id,at");
  const options = parseCopyOptions(["CSV IGNOREHEADER 1"]);
  assert.deepEqual(checkHeader(bytes, options, ["id", "at"], true), { kind: "same" });
  assert.deepEqual(checkHeader(bytes, options, ["id", "at"], false), { kind: "unseen" });
});
