import { SluiceError } from "../../core/errors.ts";
import type { PutBody } from "./store.ts";

/** Bytes that are all there as a body. */
export function bodyOf(body: Uint8Array | PutBody): PutBody {
  if (!(body instanceof Uint8Array)) return body;
  return {
    sizeBytes: body.length,
    read: (at, length) => Promise.resolve(body.subarray(at, at + length)),
  };
}

/**
 * Reads a piece of a body.
 *
 * @throws {SluiceError} `permanent` when the body gives fewer bytes: its file has been cut.
 */
export async function readPiece(
  action: string,
  body: PutBody,
  at: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const piece = await body.read(at, length);
  if (piece.length !== length) {
    const detail = `its source gave ${piece.length} bytes of ${length} from byte ${at} on`;
    throw new SluiceError(action, "permanent", detail);
  }
  // Whoever makes a body in shared memory has to copy it: the network cannot send from there.
  return piece as Uint8Array<ArrayBuffer>;
}

/** @throws {SluiceError} `transient` when the caller has given the act up. */
export function checkNotGivenUp(action: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw givenUp(action);
}

/** The error of an act whose signal was aborted. */
export function givenUp(action: string): SluiceError {
  return new SluiceError(action, "transient", "it was given up before it was done");
}
