import { Buffer } from "node:buffer";

/** RFC 2047 lets an encoded word have 75 characters, of which 12 are the frame. */
const wordBytes = 45;

type Metadata = Readonly<Record<string, string>>;

const encoder = new TextEncoder();

/**
 * Notes as S3 can keep them: headers bear ASCII only, so other values go as encoded words of RFC
 * 2047, which is what S3 itself makes of them. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export function encodeMetadata(metadata: Metadata): Record<string, string> {
  return mapValues(metadata, encodeValue);
}

/** What {@linkcode encodeMetadata} was given, out of what a store gives back. */
export function decodeMetadata(metadata: Metadata): Record<string, string> {
  return mapValues(metadata, decodeValue);
}

function mapValues(metadata: Metadata, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), change(value)]),
  );
}

function encodeValue(value: string): string {
  // Spaces at the ends and in rows are not kept by headers, and empty headers not by all stores.
  const isPlain = /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value) && !value.includes("=?");
  if (isPlain) return value;
  const words: string[] = [];
  let word = "";
  let length = 0;
  for (const character of value) {
    const bytes = encoder.encode(character).length;
    if (length + bytes > wordBytes) {
      words.push(word);
      word = "";
      length = 0;
    }
    word += character;
    length += bytes;
  }
  return [...words, word]
    .map((one) => `=?UTF-8?B?${Buffer.from(one).toString("base64")}?=`)
    .join(" ");
}

function decodeValue(value: string): string {
  return value
    // Blanks between two encoded words belong to neither.
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (whole, kind: string, coded: string) => {
      const bytes = kind.toLowerCase() === "b" ? Buffer.from(coded, "base64") : unquote(coded);
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      return text.includes("\ufffd") && !coded.includes("77+9") ? whole : text;
    });
}

function unquote(coded: string): Uint8Array {
  const latin = coded
    .replaceAll("_", " ")
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(latin, "latin1");
}
