import { VisibleBytes, visibleLines } from "../core/visible.ts";
import type { RecordSink } from "../formats/baldr.ts";
import { prettyJson } from "../formats/json_pretty.ts";
import { compactJson, JsonScanner } from "../formats/json_record.ts";
import { JSON_BYTES_PER_BYTE, JSON_SLACK_BYTES, JsonText } from "../formats/json_text.ts";
import type { Output } from "./output.ts";
import { wholeRecords } from "./whole_records.ts";

const LF = 10;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const beforeBytes = encoder.encode('{"content":');
const behindBytes = encoder.encode(',"charset":"iso-8859-1"}');

/** Other records go to people in pieces of this: a string of all would need three times as much. */
const PIECE_BYTES = 1024 * 1024;

/** Longest record that is shown indented: the runtime's strings end at twice that. */
const SHOWN_BYTES_MOST = 256 * 1024 * 1024;

/**
 * Each record as one line of JSON. A record that is JSON is that line (on several lines, it loses
 * its white space); other text becomes a JSON string; what is not UTF-8 becomes
 * `{"content":"…","charset":"iso-8859-1"}`, where every byte is one code point, as in the JSON of
 * forward-syslog.
 */
export function renderJsonLines(output: Output): RecordSink {
  const text = new JsonText();
  const scanner = new JsonScanner();
  return wholeRecords((bytes) => {
    if (!scanner.isJson(bytes)) appendString(output, text, bytes);
    else if (scanner.hasBreaks) {
      const at = output.reserve(bytes.length);
      output.advanceTo(compactJson(bytes, output.block, at));
    } else output.append(bytes, 0, bytes.length);
    output.byte(LF);
    output.endRecord();
  });
}

function appendString(output: Output, text: JsonText, bytes: Uint8Array): void {
  const most = JSON_BYTES_PER_BYTE * bytes.length + JSON_SLACK_BYTES;
  const at = output.reserve(beforeBytes.length + 2 + most + behindBytes.length);
  text.bind(bytes, output.block);
  text.latin1 = text.invalid = false;
  const end = text.string(at, 0, bytes.length);
  if (!text.invalid) return output.advanceTo(end);
  text.latin1 = true;
  const behind = text.string(text.raw(at, beforeBytes), 0, bytes.length);
  output.advanceTo(text.raw(behind, behindBytes));
}

/**
 * Each record for people: JSON over several lines, perhaps coloured, and all else as it is, but that
 * nothing commands their terminal.
 */
export function renderPretty(output: Output, options: { readonly colours: boolean }): RecordSink {
  const scanner = new JsonScanner();
  return wholeRecords((bytes) => {
    if (bytes.length <= SHOWN_BYTES_MOST && scanner.isJson(bytes)) {
      const json = visibleLines(decoder.decode(bytes));
      appendAll(output, encoder.encode(prettyJson(json, options)));
    } else appendShown(output, bytes);
    output.byte(LF);
    output.endRecord();
  });
}

function appendShown(output: Output, bytes: Uint8Array): void {
  const shown = new VisibleBytes();
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    appendAll(output, shown.take(bytes.subarray(at, at + PIECE_BYTES)));
  }
  appendAll(output, shown.end());
}

function appendAll(output: Output, bytes: Uint8Array): void {
  output.append(bytes, 0, bytes.length);
}
