/** Pages open at once; each costs a connection and some kilobytes a second. */
const followersMost = 32;
/** What one may leave unread before it is told nothing more until it has read. */
const unreadBytesMost = 256 * 1024;
/** After so many events that one could not be told, it is gone for us. */
const missedMost = 60;

interface Follower {
  readonly controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  missed: number;
}

const encoder = new TextEncoder();

/** Those who follow the events; none of them can make the daemon wait or grow. */
export class Followers {
  readonly #all = new Set<Follower>();
  #isClosed = false;

  get size(): number {
    return this.#all.size;
  }

  /** A stream for a new one that begins with `text`; null when there are as many as may be. */
  add(text: string): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.#isClosed || this.#all.size >= followersMost) return null;
    let follower: Follower | undefined;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        follower = { controller, missed: 0 };
        this.#all.add(follower);
        controller.enqueue(encoder.encode(text));
      },
      cancel: () => {
        if (follower !== undefined) this.#all.delete(follower);
      },
    }, {
      highWaterMark: unreadBytesMost,
      size: (bytes) => bytes?.byteLength ?? 0,
    });
  }

  /** Tells everyone who has read what came before. */
  tell(text: string): void {
    const bytes = encoder.encode(text);
    for (const follower of this.#all) {
      if ((follower.controller.desiredSize ?? 0) > 0) {
        follower.missed = 0;
        follower.controller.enqueue(bytes);
      } else if (++follower.missed >= missedMost) this.#end(follower);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const follower of this.#all) this.#end(follower);
  }

  #end(follower: Follower): void {
    this.#all.delete(follower);
    const { controller } = follower;
    if (controller.desiredSize === unreadBytesMost) controller.close();
    // What is unread is thrown away: whoever does not read would keep the server from stopping.
    else controller.error(new Error("the status page has ended"));
  }
}
