import assert from "node:assert/strict";
import { readFields } from "../support/syslog_reading.ts";

interface Wanted {
  time?: string;
  host?: string;
  tag?: string;
  pid?: string;
  msgid?: string;
  data?: string;
  content: string;
}

const header = "2026-11-23T20:30:00Z host app 12 ID7";
const read = {
  time: "2026-11-23T20:30:00.000Z",
  host: "host",
  tag: "app",
  pid: "12",
  msgid: "ID7",
};

const examples: [name: string, rest: string, wanted: Wanted][] = [
  ["no structured data", `${header} - hello`, { ...read, content: "hello" }],
  ["one element", `${header} [a@1 x="1"] hello`, {
    ...read,
    data: '[a@1 x="1"]',
    content: "hello",
  }],
  ["several elements", `${header} [a x="1" y="2"][b][c z=""] hello`, {
    ...read,
    data: '[a x="1" y="2"][b][c z=""]',
    content: "hello",
  }],
  ["escapes in values", `${header} [a x="\\"\\]\\\\\\n"] hello`, {
    ...read,
    data: '[a x="\\"\\]\\\\\\n"]',
    content: "hello",
  }],
  ["an unescaped bracket in a value", `${header} [a x="[1]"] hello`, {
    ...read,
    data: '[a x="[1]"]',
    content: "hello",
  }],
  ["a byte order mark", `${header} - \xef\xbb\xbfhello`, { ...read, content: "hello" }],
  ["nothing but a byte order mark", `${header} - \xef\xbb\xbf`, { ...read, content: "" }],
  ["no content", `${header} -`, { ...read, content: "" }],
  ["empty content", `${header} - `, { ...read, content: "" }],
  ["no content behind structured data", `${header} [a]`, { ...read, data: "[a]", content: "" }],
  ["blanks of the content", `${header} -  a  `, { ...read, content: " a  " }],
  ["all fields nil", "- - - - - - hello", { content: "hello" }],
  ["a fraction and an offset", "2026-11-23T21:30:00.123456+01:00 host app 12 ID7 - hello", {
    ...read,
    time: "2026-11-23T20:30:00.123Z",
    content: "hello",
  }],
  ["fields longer than the RFC allows", `- ${"h".repeat(300)} - - - - hello`, {
    host: "h".repeat(300),
    content: "hello",
  }],
  ["bytes that are not ASCII", `- h\xff - - - [\xe9 \xff="\x80"] \xfe`, {
    host: "h\xff",
    data: '[\xe9 \xff="\x80"]',
    content: "\xfe",
  }],
  ["a first field that is a hyphen and more", "2026-11-23T20:30:00Z -h -a -p -m - hello", {
    time: read.time,
    host: "-h",
    tag: "-a",
    pid: "-p",
    msgid: "-m",
    content: "hello",
  }],
];

for (const [name, rest, wanted] of examples) {
  Deno.test(`SyslogParser reads RFC 5424 with ${name}`, () => {
    const fields = readFields(`<165>1 ${rest}`);
    const { form, problem, priority, time, host, tag, pid, msgid, data, content } = fields;
    assert.deepEqual({ time, host, tag, pid, msgid, data, content }, {
      time: undefined,
      host: undefined,
      tag: undefined,
      pid: undefined,
      msgid: undefined,
      data: undefined,
      ...wanted,
    });
    assert.deepEqual({ form, problem, priority }, { form: "rfc5424", problem: "", priority: 165 });
  });
}

const parameters = (count: number) =>
  Array.from({ length: count }, (_, n) => ` n${n}="v"`).join("");

const broken: [name: string, rest: string, problem: RegExp][] = [
  ["nothing behind the version", "", /timestamp is missing/],
  ["a version and a word", "hello", /timestamp is missing/],
  ["a stamp that is none", "yesterday h a p m - x", /timestamp is malformed/],
  ["a stamp without zone", "2026-11-23T20:30:00 h a p m - x", /timestamp is malformed/],
  [
    "a stamp with a comma in its zone",
    "2026-11-23T20:30:00Z, h a p m - x",
    /timestamp is malformed/,
  ],
  ["a month that is none", "2026-13-23T20:30:00Z h a p m - x", /timestamp is malformed/],
  ["29 February of a common year", "2026-02-29T20:30:00Z h a p m - x", /timestamp is malformed/],
  ["a stamp before 1970", "1969-12-31T23:59:59Z h a p m - x", /timestamp is malformed/],
  ["no host", "- ", /hostname is missing/],
  ["an empty host", "-  a p m - x", /hostname is missing/],
  ["no app-name", "- h", /hostname is missing/],
  ["no procid", "- h a", /app-name is missing/],
  ["no msgid", "- h a p", /procid is missing/],
  ["no structured data", "- h a p m", /msgid is missing/],
  ["empty structured data", "- h a p m ", /structured data is missing/],
  ["structured data that is a word", "- h a p m x", /structured data is malformed/],
  ["a word glued to nil structured data", "- h a p m -x", /structured data is malformed/],
  ["a word glued to structured data", "- h a p m [a]x", /structured data is malformed/],
  ["an element that does not end", "- h a p m [a", /structured data is malformed/],
  ["an element without id", "- h a p m [] x", /structured data is malformed/],
  ["a value without quotes", "- h a p m [a x=1] x", /structured data is malformed/],
  ["a value that does not end", '- h a p m [a x="1] x', /structured data is malformed/],
  ["an escape that does not end", '- h a p m [a x="\\', /structured data is malformed/],
  ["an id that comes twice", "- h a p m [a][b][a] x", /structured data is malformed/],
  ["513 parameters", `- h a p m [a${parameters(513)}] x`, /structured data is malformed/],
  [
    "513 elements",
    `- h a p m ${parameters(513).replaceAll(/ (n\d+)="v"/g, "[$1]")} x`,
    /malformed/,
  ],
];

for (const [name, rest, problem] of broken) {
  Deno.test(`SyslogParser keeps RFC 5424 with ${name} whole and says what is wrong`, () => {
    const line = `<165>1 ${rest}`;
    const fields = readFields(line);
    assert.equal(fields.form, "unparsed");
    assert.match(fields.problem, problem);
    assert.equal(fields.priority, 165);
    assert.equal(fields.content, line);
    for (const absent of [fields.time, fields.host, fields.tag, fields.pid, fields.msgid]) {
      assert.equal(absent, undefined);
    }
    assert.equal(fields.data, undefined);
  });
}

Deno.test("SyslogParser takes 512 parameters", () => {
  assert.equal(readFields(`<165>1 - h a p m [a${parameters(512)}] x`).content, "x");
});

Deno.test("SyslogParser reads nothing outside an RFC 5424 frame", () => {
  const line = `<165>1 ${header} [a x="1"] \xef\xbb\xbfhello`;
  for (let end = 0; end <= line.length; end++) {
    const alone = readFields(line.slice(0, end));
    assert.deepEqual(readFields(line.slice(0, end), { within: ["", line.slice(end)] }), alone);
  }
});
