import type { Session, SessionOptions } from "./warehouse.ts";

/** The longest that a server can be told, 24 days. */
const statementMsMost = 2 ** 31 - 1;

/**
 * Tells the server what is wished of a session that has just begun. As a statement: poolers refuse
 * what they do not know at the start of a connection.
 *
 * @throws {SluiceError} as the session does; it is closed then.
 */
export async function applyOptions(session: Session, options: SessionOptions): Promise<Session> {
  const { statementTimeoutMs } = options;
  if (statementTimeoutMs === undefined) return session;
  // Zero would be none at all.
  const ms = Math.min(statementMsMost, Math.max(1, Math.ceil(statementTimeoutMs)));
  try {
    await session.execute(`SET statement_timeout TO ${ms}`);
    return session;
  } catch (thrown) {
    await session.close();
    throw thrown;
  }
}
