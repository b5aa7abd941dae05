import { setImmediate } from "node:timers";

/** Pieces of some microseconds each: together about a millisecond. */
const piecesUsual = 250;

/**
 * Cuts long work into slices, so that whatever else waits for the event loop has its turn between
 * them:
 *
 *     for (const one of thousands) {
 *       ...
 *       if (turns.isDue()) await turns.next();
 *     }
 */
export class Turns {
  #done = 0;

  /** @param piecesMost how much is done in one turn. @default 250 */
  constructor(private readonly piecesMost = piecesUsual) {}

  /** Counts work that was done; true when {@linkcode next} is to be awaited before more of it. */
  isDue(pieces = 1): boolean {
    this.#done += pieces;
    return this.#done >= this.piecesMost;
  }

  /** Resolves after everything that waits now has had its turn, what has come by network included. */
  async next(): Promise<void> {
    this.#done = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
