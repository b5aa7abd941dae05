import type { Call, Request } from "./call.ts";

/** A page of a listing: besides what it holds, where the next one is. */
type Page<P> = P & { readonly nextPageToken?: string };

/** What a page of `request` holds, page by page: one request each, made when it is asked for. */
export async function* pagesOf<P, T>(
  call: Call,
  action: string,
  request: Request,
  itemsOf: (page: P) => readonly T[] | undefined,
): AsyncGenerator<T> {
  let pageToken: string | undefined;
  do {
    const page: Page<P> = await call(action, {
      ...request,
      query: { ...request.query, pageToken },
    });
    yield* itemsOf(page) ?? [];
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && pageToken !== "");
}
