/** What ingest has done since it was started. */
export class Counts {
  imports = 0;
  commits = 0;
  rollbacks = 0;
  files = 0;
  rows = 0;
  bytes = 0;
  rejectedFiles = 0;
  rejectedRows = 0;
  ledgerSkips = 0;
  deleteErrors = 0;
  /** Answers to COMMIT that were lost and found again in the ledger. */
  recoveredCommits = 0;
  /** Files that are being loaded now. */
  importingFiles = 0;
}
