import { type Fault, SluiceError } from "../../core/errors.ts";
import { nameOf } from "./failures.ts";

/** Error codes of groups (kafka.apache.org/protocol#protocol_error_codes). */
export const groupCode = {
  none: 0,
  noCoordinator: 15,
  notCoordinator: 16,
  illegalGeneration: 22,
  otherProtocol: 23,
  invalidGroup: 24,
  unknownMember: 25,
  invalidSession: 26,
  rebalancing: 27,
  topicDenied: 29,
  groupDenied: 30,
  memberIdRequired: 79,
  groupIsFull: 81,
  fencedInstance: 82,
} as const;

/** The coordinator is another broker now: it has to be found again. */
export function isElsewhere(errorCode: number): boolean {
  return errorCode === groupCode.noCoordinator || errorCode === groupCode.notCoordinator;
}

/** The group does not know this member any more. */
export function isUnknownMember(errorCode: number): boolean {
  return errorCode === groupCode.unknownMember || errorCode === groupCode.fencedInstance;
}

type Verdict = (group: string) => readonly [fault: Fault, detail: string];

const verdicts: Readonly<Record<number, Verdict>> = {
  [groupCode.otherProtocol]: (group) => [
    "permanent",
    `group ${group} has members that share out in another way: programs other than sluice, or ` +
    "members with another --rebalance (eager and cooperative ones cannot mix); stop them first, " +
    "or take another --group",
  ],
  [groupCode.invalidGroup]: (group) => ["permanent", `the cluster takes no group named "${group}"`],
  [groupCode.invalidSession]: () => [
    "permanent",
    "the cluster does not allow this --session-timeout; it has to lie between its " +
    "group.min.session.timeout.ms and group.max.session.timeout.ms (6 s and 30 min by default)",
  ],
  [groupCode.topicDenied]: () => [
    "denied",
    "this user may not read all of the topics; grant Read and Describe on them",
  ],
  [groupCode.groupDenied]: (group) => [
    "denied",
    `this user may not use group ${group}; grant Read and Describe on it`,
  ],
  // Only an operator can help; then it goes on by itself.
  [groupCode.groupIsFull]: (group) => [
    "denied",
    `group ${group} has as many members as the cluster's group.max.size allows`,
  ],
  [groupCode.unknownMember]: lostIn,
  [groupCode.illegalGeneration]: lostIn,
  [groupCode.fencedInstance]: lostIn,
  12: () => ["permanent", "the metadata of an offset is too large"],
  28: () => ["permanent", "the offsets are too many for one commit"],
  35: () => ["permanent", "the broker is older than Kafka 2.8"],
  42: () => ["permanent", "the broker calls the request invalid"],
};

function lostIn(group: string): readonly [Fault, string] {
  return ["permanent", `group ${group} has gone on without this member`];
}

/** The error for a code that a coordinator answered; what is not listed will pass with time. */
export function groupError(action: string, group: string, errorCode: number): SluiceError {
  const [fault, detail] = verdicts[errorCode]?.(group) ??
    ["transient", `group ${group}: ${nameOf(errorCode)}`];
  return new SluiceError(action, fault, detail);
}
