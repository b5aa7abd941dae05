/** The text, or its beginning and `…`: `most` UTF-16 units at most. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1))}…`;
}
