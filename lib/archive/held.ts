import type { Partition } from "./partition.ts";
import type { Puts } from "./puts.ts";

/** A partition that is ours, with who puts its objects. */
export interface Held {
  readonly partition: Partition;
  readonly puts: Puts;
}
