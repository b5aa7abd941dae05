import assert from "node:assert/strict";
import { SyslogFramer } from "../../lib/formats/syslog_frame.ts";
import { jsonBytesMost, SyslogJson } from "../../lib/formats/syslog_json.ts";
import { SyslogMessage, SyslogParser } from "../../lib/formats/syslog_message.ts";
import { bytesOf, bytesOfText, NOW_MS, textOf } from "../support/syslog_reading.ts";

const FRAMES = 1_000_000;
const FRAMES_PER_STREAM = 200;
const MAX_LINE_BYTES = 256;
const SEED = 20_261_123;

const seeds = [
  "<13>Nov 23 20:30:00 host app[123]: hello",
  "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
  "<13>Feb 29 23:59:60.123456 host app hello",
  "Nov  3 20:30:00 kernel: [ 12.345678] usb 1-1: new high-speed device",
  '<13>2026-11-23T20:30:00.123456+01:00 host app: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 "quoted" \\',
  "<189>1234: *Mar  1 00:00:01.123 UTC: %SYS-5-CONFIG_I: Configured from console",
  "<189>000056: router1: Nov 23 20:30:00 CET: %LINK-3-UPDOWN: Interface up",
  "<166>Jul 14 2013 10:14:41 fw01 : %ASA-6-302013: Built outbound TCP connection",
  "<189>: 2026 Nov 23 20:30:00 UTC: %ETHPORT-5-IF_UP: up",
  "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 ID47 - %% It's time",
  '<165>1 2026-11-23T20:30:00Z h a p m [ex@1 iut="3" s="A\\"\\]\\\\"][o ip="1" ip="2"] \xef\xbb\xbftext',
  "<13>1 - - - - - -",
  "<999>text",
  "<13>",
  "12 apples",
  "\xff\xfe\x80 latin \xe9",
  '{"json":true}',
  `<13>Nov 23 20:30:00 host big: ${"long \xc3\xbc ".repeat(90)}`,
];
const spice = [
  "<",
  ">",
  "\n",
  "\r",
  "\0",
  " ",
  "9",
  "0",
  "[",
  "]",
  '"',
  "\\",
  ":",
  "\xff",
  "\xc3",
  "-",
  "12 <",
];

/** A small generator of random numbers (mulberry32): the same every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const random = randomOf(SEED);
const oneOf = (texts: string[]) => texts[random(texts.length)] ?? "";

function mutated(text: string): string {
  for (let count = random(4); count > 0; count--) {
    const at = random(text.length + 1);
    const kind = random(4);
    if (kind === 0) text = text.slice(0, at) + oneOf(spice) + text.slice(at);
    else if (kind === 1) text = text.slice(0, at) + text.slice(at + 1 + random(4));
    else if (kind === 2) {
      text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    } else text = text.slice(0, at) + oneOf(seeds).slice(random(20));
  }
  return text;
}

function onTheWire(text: string): string {
  switch (random(8)) {
    case 0:
      return `${text}\0`;
    case 1:
      return `${text}\r\n`;
    case 2:
      return `${text.length} ${text}`;
    case 3:
      return `${text.length + random(3) - 1} ${text}\n`;
    case 4:
      return `${text}\n\0`;
    default:
      return `${text}\n`;
  }
}

/** Framing as it is specified, without chunks, limits or haste. */
function expectedFrames(stream: string): string[] {
  const frames: string[] = [];
  const counted = /([1-9]\d{0,6}) (?=<)/y;
  const behindCounted = /\r\n|\n|\0|\r$/y;
  const line = /([^\n\0]*?)(\r?\n|\0|$)/y;
  for (let at = 0; at < stream.length;) {
    counted.lastIndex = at;
    const count = counted.exec(stream);
    if (count) {
      const start = counted.lastIndex;
      at = start + Number(count[1]);
      frames.push(stream.slice(start, at));
      behindCounted.lastIndex = at;
      if (behindCounted.test(stream)) at = behindCounted.lastIndex;
    } else {
      line.lastIndex = at;
      const text = line.exec(stream)?.[1] ?? "";
      at = line.lastIndex;
      if (text !== "") frames.push(text);
    }
  }
  return frames;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const parser = new SyslogParser({ timeZone: "Europe/London" });
const message = new SyslogMessage();
const json = new SyslogJson();
const peer = bytesOf("peer");
const out = new Uint8Array(jsonBytesMost(MAX_LINE_BYTES, peer.length));

/** Parses and encodes one frame and looks whether its content is all there. */
function checkFrame(bytes: Uint8Array, start: number, end: number, text: string): void {
  parser.parse(bytes, start, end, NOW_MS, message);
  const written = json.encode(message, bytes, start, end, NOW_MS, peer, out, 0);
  const value = JSON.parse(decoder.decode(out.subarray(0, written)));
  const content = bytesOfText(value, value.content);
  assert.equal(content.length, message.contentEnd - message.contentStart);
  assert.ok(text.endsWith(content), "the content is the end of the frame");
  assert.equal(value.problem !== undefined, message.form === "unparsed");
  if (message.form === "unparsed") assert.equal(content, text);
  assert.equal(new Date(value.timestamp).toISOString(), value.timestamp);
  assert.equal(value.priority, value.facility * 8 + value.severity);
}

/** Sends `stream` through a framer in random chunks and gives the frames put together. */
function framed(stream: Uint8Array): string[] {
  const frames: string[] = [];
  let open = "";
  const framer = new SyslogFramer({
    frame: (bytes, start, end, _part, more) => {
      assert.ok(end > start && end - start <= MAX_LINE_BYTES);
      const text = textOf(bytes.subarray(start, end));
      checkFrame(bytes, start, end, text);
      open += text;
      if (more) return;
      frames.push(open);
      open = "";
    },
  }, { maxLineBytes: MAX_LINE_BYTES });
  const most = 1 + random(4_000);
  for (let at = 0; at < stream.length;) {
    const chunk = stream.slice(at, at + 1 + random(most));
    framer.push(chunk, chunk.length);
    assert.ok(framer.pendingBytes <= MAX_LINE_BYTES + 1, `${framer.pendingBytes} bytes are held`);
    at += chunk.length;
  }
  framer.finish();
  assert.equal(open, "");
  return frames;
}

Deno.test("a million mutated frames crash nothing, and none of their bytes is lost", () => {
  let sent = 0;
  while (sent < FRAMES) {
    let stream = "";
    for (let n = 0; n < FRAMES_PER_STREAM; n++) stream += onTheWire(mutated(oneOf(seeds)));
    sent += FRAMES_PER_STREAM;
    assert.deepEqual(framed(bytesOf(stream)), expectedFrames(stream), `after ${sent} frames`);
  }
});
