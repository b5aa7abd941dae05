/** Characters that take two cells of a terminal: East Asian wide and full-width ones, emoji. */
const wide = new RegExp(
  "[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\u33ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\ua000-\\ua4cf" +
    "\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff00-\\uff60" +
    "\\uffe0-\\uffe6\\u{17000}-\\u{18cff}\\u{1b000}-\\u{1b2ff}\\u{20000}-\\u{3fffd}]" +
    "|\\p{Emoji_Presentation}|\\ufe0f",
  "u",
);

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** What is cut ends in this. */
const ellipsis = "…";

/** How many cells of a terminal a text takes that has no control characters in it. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  // Alone, an accent or a mark of direction takes no place of its own.
  if (/^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

/** The beginning of a text that fits, with an ellipsis when something is gone. */
export function fitText(text: string, width: number): string {
  // Whatever is longer than this in characters is not measured as a whole.
  const measured = text.length > width * 16 ? text.slice(0, width * 16) : text;
  if (measured === text && textWidth(text) <= width) return text;
  let used = 0;
  let fitting = "";
  for (const { segment } of segmenter.segment(measured)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    fitting += segment;
  }
  return fitting + ellipsis;
}

/** Fills a text up to a width with spaces. */
export function padText(
  text: string,
  width: number,
  align: "left" | "right" | "center",
): string {
  const space = Math.max(0, width - textWidth(text));
  const before = align === "right" ? space : align === "center" ? space >> 1 : 0;
  return " ".repeat(before) + text + " ".repeat(space - before);
}
