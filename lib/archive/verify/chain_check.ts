import type { Finding, ObjectFacts } from "./facts.ts";

/** Where a chain of objects ends. */
export interface ChainEnd {
  /** Behind the last offset that an object answers for. */
  readonly next: bigint;
  /** False: the last object does not say where it ends, and `next` is the least that it can be. */
  readonly isExact: boolean;
  /** The id of the topic that the newest object is of; empty when it does not say. */
  readonly topicId: string;
}

/** An object that does not tell its end, and where the next one begins. */
export interface OpenLink {
  /** The object without notes. */
  readonly object: ObjectFacts;
  /** Where the offsets begin that no object is known to answer for. */
  readonly from: bigint;
  /** The first offset of the next object. */
  readonly to: bigint;
  /** The next object's key. */
  readonly key: string;
}

/**
 * Follows the objects of a partition, by first offset: each has to begin where the one before it
 * ends. Keeps nothing of an object but its end.
 */
export class ChainCheck {
  #last: ObjectFacts | undefined;
  #next = 0n;
  /** The object that reaches furthest: if it does not say where it ends, nobody knows what is next. */
  #reaching: ObjectFacts | undefined;
  #topicId = "";
  /** Objects without notes that were not read either: nothing is known of where they end. */
  #unread = 0;

  /** Undefined before the first object. */
  get end(): ChainEnd | undefined {
    if (this.#reaching === undefined) return undefined;
    return {
      next: this.#next,
      isExact: this.#reaching.notes !== null,
      topicId: this.#topicId,
    };
  }

  /** How many objects say nothing of their end and were not read either. */
  get unread(): number {
    return this.#unread;
  }

  /**
   * Takes the next object, by first offset. Returns what is wrong between it and those before, and
   * the link that only Kafka can judge if there is one.
   */
  add(facts: ObjectFacts): { readonly findings: Finding[]; readonly open: OpenLink | undefined } {
    const { notes, first, key } = facts;
    const findings = [...this.#overlap(facts), ...this.#gap(facts), ...this.#otherTopic(facts)];
    if (notes?.gap === "retention") {
      const what = "Kafka had deleted these offsets before they could be archived";
      findings.push({ kind: "retention", what, key, from: first, to: notes.nextOffset });
    }
    const open = this.#open(facts);
    if (notes === null && isUnread(facts)) this.#unread++;
    const next = endOf(facts);
    if (this.#reaching === undefined || next >= this.#next) {
      this.#next = next;
      this.#reaching = facts;
    }
    this.#last = facts;
    return { findings, open };
  }

  #overlap({ first, key, notes }: ObjectFacts): Finding[] {
    if (this.#reaching === undefined || this.#last === undefined) return [];
    // An object without a record that says nothing of its end answers for no offset, but has a key.
    const isDouble = this.#last.first === first;
    if (!isDouble && first >= this.#next) return [];
    const before = isDouble ? this.#last.key : this.#reaching.key;
    const to = notes !== null && notes.nextOffset < this.#next ? notes.nextOffset : this.#next;
    const what = `${nameOf(before)} answers for them, too`;
    return [{ kind: "overlap", what, key, from: first, to: to > first ? to : first }];
  }

  #gap({ first, key }: ObjectFacts): Finding[] {
    const before = this.#reaching;
    if (before === undefined || before.notes === null || first <= this.#next) return [];
    const what = `no object answers for them; ${nameOf(before.key)} ends before them`;
    return [{ kind: "gap", what, key, from: this.#next, to: first }];
  }

  #open({ first, key }: ObjectFacts): OpenLink | undefined {
    const object = this.#reaching;
    if (object === undefined || object.notes !== null || first <= this.#next) return undefined;
    // Not a word of where it ends: such objects are counted, not told one by one.
    if (isUnread(object)) return undefined;
    return { object, from: this.#next, to: first, key };
  }

  #otherTopic({ notes, key, first }: ObjectFacts): Finding[] {
    if (notes === null || notes.topicId === "") return [];
    const before = this.#topicId;
    this.#topicId = notes.topicId;
    if (before === "" || before === notes.topicId) return [];
    const what = "from here on it is another topic of the same name";
    return [{ kind: "notice", what, key, from: first }];
  }
}

/** Nobody tried to read it; one that could not be read has a finding. */
function isUnread({ content, findings }: ObjectFacts): boolean {
  return content === undefined && findings.length === 0;
}

/** What is said of a link that nobody could judge. */
export function unknownFinding({ object, from, to, key }: OpenLink): Finding {
  const what = `perhaps there were no records: ${nameOf(object.key)} does not tell where it ends`;
  return { kind: "unknown", what, key, from, to };
}

/** The first offset behind an object; the least that it can be if it does not say. */
function endOf({ notes, first, content }: ObjectFacts): bigint {
  if (notes !== null) return notes.nextOffset;
  const byCount = first + BigInt(content?.records ?? 0);
  const last = content?.whole?.lastOffset ?? null;
  return last !== null && last >= byCount ? last + 1n : byCount;
}

/** The last step of a key: enough beside another key of the same folder. */
function nameOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
