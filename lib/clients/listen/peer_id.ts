let peers = 0;

/** A number for the next connection, whatever listener it came through. */
export function nextPeerId(): number {
  return peers++;
}
