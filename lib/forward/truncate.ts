const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A value with half of its text: for `json` the object with half of its `content` (and of its
 * structured data none, when the content is not what makes it long), for `raw` the first half of the
 * bytes. Applied again and again it fits in the end.
 */
export function cutText(
  value: Uint8Array,
  format: "json" | "raw",
): { readonly value: Uint8Array; readonly lostBytes: number } {
  const shorter = format === "raw" ? value.slice(0, value.length >> 1) : cutJson(value);
  return { value: shorter, lostBytes: value.length - shorter.length };
}

function cutJson(value: Uint8Array): Uint8Array {
  const fields = JSON.parse(decoder.decode(value)) as Record<string, unknown>;
  const content = String(fields["content"] ?? "");
  const others = value.length - content.length;
  if (content.length < others) {
    delete fields["structured_data"];
    for (const name of ["hostname", "tag", "msgid", "pid"]) {
      if (typeof fields[name] === "string") fields[name] = fields[name].slice(0, 255);
    }
  }
  // Never between the two halves of a surrogate pair: the result would not be text.
  let keep = content.length >> 1;
  if (/[\uD800-\uDBFF]/.test(content.charAt(keep - 1))) keep--;
  fields["content"] = content.slice(0, keep);
  return encoder.encode(JSON.stringify(fields));
}
