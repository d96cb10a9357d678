package import Storage

package enum IdempotencySchema {
  /// `idempotency_answer` is a line for each request that carried a key: without a `status` it is still being answered.
  package static let migrations = Migrations("idempotency").adding(
    "001 answers",
    """
    CREATE TABLE idempotency_answer (
      owner TEXT NOT NULL, request_key TEXT NOT NULL, digest TEXT NOT NULL, at TEXT NOT NULL, status BIGINT,
      type TEXT, etag TEXT, body BLOB, bytes BIGINT NOT NULL, PRIMARY KEY (owner, request_key));
    CREATE INDEX idempotency_answer_by_time ON idempotency_answer (at);
    """)
}
