/**
 * Works on up to `atOnce` items at the same time and gives the results in the order of the items. An
 * item is taken when there is room for it, so that a long list is never in memory.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    result.catch(() => {}); // thrown in its turn
    begun.push(result);
    if (begun.length < atOnce) continue;
    const [oldest] = begun.splice(0, 1);
    if (oldest !== undefined) yield await oldest;
  }
  for (const result of begun) yield await result;
}
