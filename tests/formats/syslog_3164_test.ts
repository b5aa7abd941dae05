import assert from "node:assert/strict";
import { NOW_MS, readFields } from "../support/syslog_reading.ts";

/** What a message is expected to hold; what is left out has to be absent. */
interface Wanted {
  time?: string;
  host?: string;
  tag?: string;
  pid?: string;
  msgid?: string;
  content: string;
}

const time = "2026-11-23T20:30:00.000Z";

const examples: [name: string, line: string, wanted: Wanted][] = [
  ["the plain form", "<13>Nov 23 20:30:00 host app: hello", {
    time,
    host: "host",
    tag: "app",
    content: "hello",
  }],
  ["a tag with pid", "<13>Nov 23 20:30:00 host app[123]: hello", {
    time,
    host: "host",
    tag: "app",
    pid: "123",
    content: "hello",
  }],
  ["the example of RFC 3164", "<34>Oct 11 22:14:15 mymachine su: 'su root' failed", {
    time: "2026-10-11T22:14:15.000Z",
    host: "mymachine",
    tag: "su",
    content: "'su root' failed",
  }],
  ["blanks of the content", "<13>Nov 23 20:30:00 host app:  two  ", {
    time,
    host: "host",
    tag: "app",
    content: " two  ",
  }],
  ["content right behind the colon", "<13>Nov 23 20:30:00 host app:x", {
    time,
    host: "host",
    tag: "app",
    content: "x",
  }],
  ["a tag without colon", "<13>Nov 23 20:30:00 host app hello world", {
    time,
    host: "host",
    tag: "app",
    content: "hello world",
  }],
  ["a tag with pid but no colon", "<13>Nov 23 20:30:00 host app[1] hello", {
    time,
    host: "host",
    tag: "app",
    pid: "1",
    content: "hello",
  }],
  ["an empty pid", "<13>Nov 23 20:30:00 host app[]: hello", {
    time,
    host: "host",
    tag: "app",
    pid: "",
    content: "hello",
  }],
  ["a pid that does not end", "<13>Nov 23 20:30:00 host app[12 hello", {
    time,
    host: "host",
    content: "app[12 hello",
  }],
  ["tags with slashes and brackets", "<13>Nov 23 20:30:00 host postfix/smtpd(x)[9]: hello", {
    time,
    host: "host",
    tag: "postfix/smtpd(x)",
    pid: "9",
    content: "hello",
  }],
  ["a first word that is no tag", '<13>Nov 23 20:30:00 host {"a":1}', {
    time,
    host: "host",
    content: '{"a":1}',
  }],
  ["a local sender that leaves the host out", "<13>Nov 23 20:30:00 app[12]: hello", {
    time,
    tag: "app",
    pid: "12",
    content: "hello",
  }],
  ["a kernel line without host", "<6>Nov 23 20:30:00 kernel: [ 1.2] usb", {
    time,
    tag: "kernel",
    content: "[ 1.2] usb",
  }],
  ["a host and no more", "<13>Nov 23 20:30:00 host", { time, host: "host", content: "" }],
  ["a stamp and no more", "<13>Nov 23 20:30:00", { time, content: "" }],
  ["an IPv6 host", "<13>Nov 23 20:30:00 2001:db8::17 app: hello", {
    time,
    host: "2001:db8::17",
    tag: "app",
    content: "hello",
  }],
  ["an IPv6 host in brackets", "<13>Nov 23 20:30:00 [fe80::1%eth0] app: hello", {
    time,
    host: "[fe80::1%eth0]",
    tag: "app",
    content: "hello",
  }],
  ["two blanks before the host", "<13>Nov 23 20:30:00  host app: hello", {
    time,
    host: "host",
    tag: "app",
    content: "hello",
  }],
  ["a blank before the stamp", "<13> Nov 23 20:30:00 host app: hello", {
    time,
    host: "host",
    tag: "app",
    content: "hello",
  }],
  ["a missing priority", "Nov 23 20:30:00 host app: hello", {
    time,
    host: "host",
    tag: "app",
    content: "hello",
  }],
  ["free text", "hello: world", { content: "hello: world" }],
  ["free text of a blank", " ", { content: " " }],
  ["free text behind a priority", "<13>hello world", { content: "hello world" }],
  ["a tag behind a priority", "<13>app[12]: hello", { tag: "app", pid: "12", content: "hello" }],
  ["a URL behind a priority", "<13>http://x/ is down", { content: "http://x/ is down" }],
  ["blanks behind a priority", "<13>  hello", { content: "  hello" }],
  ["an impossible day", "<13>Nov 31 20:30:00 host app: hello", {
    content: "Nov 31 20:30:00 host app: hello",
  }],
  ["an impossible time", "<13>Nov 23 24:30:00 host app: x", {
    content: "Nov 23 24:30:00 host app: x",
  }],
  ["a word glued to the stamp", "<13>Nov 23 20:30:00xyz host app: x", {
    content: "Nov 23 20:30:00xyz host app: x",
  }],
  ["an ISO stamp", "<13>2026-11-23T20:30:00.123456+01:00 host app: hello", {
    time: "2026-11-23T19:30:00.123Z",
    host: "host",
    tag: "app",
    content: "hello",
  }],
  ["an ISO stamp with a blank and a comma", "<13>2026-11-23 20:30:00,5 host app: hello", {
    time: "2026-11-23T20:30:00.500Z",
    host: "host",
    tag: "app",
    content: "hello",
  }],
  ["Cisco IOS with a sequence number", "<189>1234: *Mar  1 00:00:01.123 UTC: %SYS-5-RESTART: up", {
    time: "2027-03-01T00:00:01.123Z",
    tag: "%SYS-5-RESTART",
    msgid: "1234",
    content: "up",
  }],
  ["Cisco IOS with sequence and host", "<189>000056: router1: Nov 23 20:30:00: %SYS-5-X: up", {
    time,
    host: "router1",
    tag: "%SYS-5-X",
    msgid: "000056",
    content: "up",
  }],
  ["Cisco IOS with a host before the stamp", "<189>router1: .Nov 23 20:30:00 CET: %SYS-5-X: up", {
    time,
    host: "router1",
    tag: "%SYS-5-X",
    content: "up",
  }],
  ["Cisco IOS with a mark and no number", "<189>*Nov 23 20:30:00.000: %SYS-5-X: up", {
    time,
    tag: "%SYS-5-X",
    content: "up",
  }],
  ["Cisco ASA with a year", "<166>Nov 23 2026 20:30:00: %ASA-6-302013: Built", {
    time,
    tag: "%ASA-6-302013",
    content: "Built",
  }],
  ["Cisco ASA with a host", "<166>Nov 23 2026 20:30:00 fw-1 : %ASA-6-302013: Built", {
    time,
    host: "fw-1",
    tag: "%ASA-6-302013",
    content: "Built",
  }],
  ["Cisco Nexus", "<189>: 2026 Nov 23 20:30:00 UTC: %ETHPORT-5-IF_UP: up", {
    time,
    tag: "%ETHPORT-5-IF_UP",
    content: "up",
  }],
  ["an upper-case tag that is no zone", "<13>Nov 23 20:30:00 CRON: hello", {
    time,
    tag: "CRON",
    content: "hello",
  }],
  ["a sequence number and no stamp", "<189>1234: hello", { tag: "1234", content: "hello" }],
  ["a year behind the time", "<13>Nov 23 20:30:00 2025 host app: hello", {
    time: "2025-11-23T20:30:00.000Z",
    host: "host",
    tag: "app",
    content: "hello",
  }],
  ["bytes that are not ASCII", "<13>Nov 23 20:30:00 host app: \xff\x80", {
    time,
    host: "host",
    tag: "app",
    content: "\xff\x80",
  }],
];

for (const [name, line, wanted] of examples) {
  Deno.test(`SyslogParser reads RFC 3164 with ${name}`, () => {
    const { form, problem, time, host, tag, pid, msgid, data, content } = readFields(line);
    assert.deepEqual({ time, host, tag, pid, msgid, content }, {
      time: undefined,
      host: undefined,
      tag: undefined,
      pid: undefined,
      msgid: undefined,
      ...wanted,
    });
    assert.deepEqual({ form, problem, data }, { form: "rfc3164", problem: "", data: undefined });
  });
}

const priorities: [start: string, priority: number, isOne: boolean][] = [
  ["<0>", 0, true],
  ["<7>", 7, true],
  ["<13>", 13, true],
  ["<013>", 13, true],
  ["<191>", 191, true],
  ["<192>", 13, false],
  ["<999>", 13, false],
  ["<0191>", 13, false],
  ["<>", 13, false],
  ["<a>", 13, false],
  ["<-1>", 13, false],
  ["<13", 13, false],
  ["<", 13, false],
  ["", 13, false],
];

for (const [start, priority, isOne] of priorities) {
  Deno.test(`SyslogParser takes "${start}" for ${isOne ? "a" : "no"} priority`, () => {
    const fields = readFields(`${start}some text`);
    assert.equal(fields.priority, priority);
    assert.equal(fields.facility, Math.floor(priority / 8));
    assert.equal(fields.severity, priority % 8);
    assert.equal(fields.content, isOne ? "some text" : `${start}some text`);
  });
}

Deno.test("SyslogParser leaves nothing of one message in the next", () => {
  const full = '<165>1 2026-11-23T20:30:00Z h a p m [i n="v"] text';
  for (const line of ["<13>text", "text", "<13>", "<13>1 x"]) {
    assert.deepEqual(readFields(line, { after: full }), readFields(line));
  }
});

Deno.test("SyslogParser calls frames with nothing behind the priority unparsed, and keeps them", () => {
  const { form, problem, priority, content } = readFields("<34>");
  assert.deepEqual({ form, priority, content }, {
    form: "unparsed",
    priority: 34,
    content: "<34>",
  });
  assert.equal(problem, "nothing follows the priority");
  assert.equal(readFields("").problem, "the frame is empty");
});

Deno.test("SyslogParser reads nothing outside the frame it is given", () => {
  const line = "<13>Nov 23 20:30:00 host app[12]: hello";
  for (let end = 0; end <= line.length; end++) {
    const alone = readFields(line.slice(0, end));
    assert.deepEqual(readFields(line.slice(0, end), { within: ["<191>1 ", line] }), alone);
  }
  assert.equal(new Date(NOW_MS).toISOString(), "2026-11-23T20:31:00.000Z");
});
