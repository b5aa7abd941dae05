import { Chain } from "../../lib/archive/chain.ts";
import { Memory } from "../../lib/archive/memory.ts";
import { ObjectBody } from "../../lib/archive/object_body.ts";
import type { CutObject } from "../../lib/archive/cut_object.ts";
import { type NotesBase, OpenObject } from "../../lib/archive/open_object.ts";
import { Partition, type PartitionTools } from "../../lib/archive/partition.ts";
import type { ObjectNotes } from "../../lib/formats/object_notes.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { bytesOf } from "../support/syslog_reading.ts";
import { MemoryFile, StoringDeflater, VirtualWorld } from "./rig.ts";

export const baseNotes: NotesBase = {
  version: "1.2.3",
  highWatermark: 1_000n,
  format: "value",
  topicId: "",
  writer: "us",
  gap: null,
};

/** Notes of an object with as many records as offsets. */
export function notesOf(
  firstOffset: bigint,
  nextOffset: bigint,
  other: Partial<ObjectNotes> = {},
): ObjectNotes {
  return {
    ...baseNotes,
    ...{ firstOffset, nextOffset, records: Number(nextOffset - firstOffset), nullValues: 0 },
    ...{ firstTimestampMs: 5, lastTimestampMs: 9, uncompressedBytes: 0, crc32c: 0 },
    ...other,
  };
}

/** What an object, a partition and its chain need, all of it in memory. */
export class Bench {
  readonly world = new VirtualWorld();
  readonly memory: Memory;
  readonly deflater = new StoringDeflater();
  readonly spoolUse = { usedBytes: 0 };
  readonly files: MemoryFile[] = [];
  readonly store = new MemoryStore();
  /** Whether the disk is full. */
  isDiskFull: () => boolean = () => false;
  spoolTrouble: string | null = null;
  readonly tools: PartitionTools;

  constructor(
    { memoryBytes = 1024 * 1024, ...settings }:
      & { readonly memoryBytes?: number }
      & Partial<PartitionTools["settings"]> = {},
  ) {
    const memory = this.memory = new Memory(memoryBytes);
    this.tools = {
      ...{ world: this.world, memory, deflater: this.deflater.asDeflater },
      ...{ version: "1.2.3", writer: "us" },
      newBody: () => this.body(),
      spoolTrouble: (reason) => this.spoolTrouble = reason,
      settings: {
        format: "value",
        ...{ rotateMs: 1_000, rotateBytes: 100_000, rotateRecords: 0, ...settings },
      },
    };
  }

  body(): ObjectBody {
    const file = new MemoryFile();
    file.before = () => {
      if (this.isDiskFull()) throw new Error("the disk is full");
    };
    this.files.push(file);
    return new ObjectBody(this.memory, this.spoolUse, file);
  }

  object(firstOffset = 0n): OpenObject {
    return new OpenObject(firstOffset, this.tools);
  }

  chain(partition = 0, format: "value" | "record" = "value"): Chain {
    return new Chain(this.store, "g", "t", partition, format);
  }

  /** A partition that is being read from `tip` on. */
  partition(tip = 0n, number = 0): Partition {
    const partition = new Partition("t", number, this.chain(number), this.tools);
    partition.tip = partition.fetchOffset = tip;
    partition.state = "reading";
    return partition;
  }
}

/** Adds a record with this value, as the intake does it. */
export function addRecord(open: OpenObject, value: string): void {
  const bytes = bytesOf(value);
  for (const byte of [0, 0, 0, 0, 0, 0, bytes.length >> 8, bytes.length & 255, ...bytes]) {
    open.makeRoom(1, 1_000);
    open.block[open.filled++] = byte;
  }
  open.records++;
  open.nextOffset++;
}

/** The whole file of an object. */
export function fileOf({ body }: CutObject): Promise<Uint8Array> {
  return body.read(0, body.sizeBytes);
}
