import Kernel
import Sharing
package import Storage

package enum HandBackStore {
  package static func find(_ id: HandBackID, in tx: any Transaction) throws -> HandBack? {
    try tx.row("\(select) WHERE id = \(id)").map(read)
  }

  /// Of one delivery, oldest first.
  package static func list(of delivery: DeliveryID, in tx: any Transaction) throws -> [HandBack] {
    try tx.rows("\(select) WHERE delivery = \(delivery) ORDER BY id").map(read)
  }

  /// Those whose rows this delivery reads again.
  static func rereading(by delivery: DeliveryID, in tx: any Transaction) throws -> [HandBack] {
    try tx.rows("\(select) WHERE reread = \(delivery) AND state = 'rereading' ORDER BY id").map(read)
  }

  static func insert(_ one: HandBack, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO exchange_hand_back (id, delivery, grant_id, item, fault, row_count, words, handed_by, handed_at, state,
        still_bad)
      VALUES (\(one.id), \(one.delivery), \(one.grant), \(one.item), \(one.fault), \(one.rows), \(one.words), \(one.by),
        \(one.at), \(one.state), 0)
      """)
  }

  static func answer(
    _ id: HandBackID, _ words: String, by name: String, reread: DeliveryID, at now: Instant, in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE exchange_hand_back SET state = 'rereading', answer = \(words), answered_by = \(name), answered_at = \(now),
        reread = \(reread)
      WHERE id = \(id)
      """)
  }

  static func conclude(_ id: HandBackID, stillBad: Int, in tx: any Transaction) throws {
    let state: HandBack.State = stillBad == 0 ? .mended : .stillBad
    try tx.run("UPDATE exchange_hand_back SET state = \(state), still_bad = \(stillBad) WHERE id = \(id)")
  }

  /// How many of the rows given back were set apart again by a later delivery, known by their keys' digests. A row whose key
  /// cannot be read is known by nothing: it counts as bad for as long as any such row is.
  static func foundAgain(_ one: HandBack, by delivery: DeliveryID, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM exchange_quarantine a WHERE a.delivery = \(one.delivery) AND a.item = \(one.item)
        AND a.fault = \(one.fault) AND EXISTS (
          SELECT 1 FROM exchange_quarantine b WHERE b.delivery = \(delivery)
            AND (b.key_digest = a.key_digest OR (b.key_digest IS NULL AND a.key_digest IS NULL)))
      """) ?? 0
  }

  private static let select: SQL = """
    SELECT id, delivery, grant_id, item, fault, row_count, words, handed_by, handed_at, state, answer, answered_by,
      answered_at, reread, still_bad
    FROM exchange_hand_back
    """

  private static func read(_ row: Row) throws -> HandBack {
    HandBack(
      id: try row.id("id"), delivery: try row.id("delivery"), grant: try row.id("grant_id"), item: try row.text("item"),
      fault: try row.text("fault"), rows: try row.int("row_count"), words: try row.text("words"),
      by: try row.text("handed_by"), at: try row.instant("handed_at"), state: try row.choice("state"),
      answer: try row.textOrNil("answer"), answeredBy: try row.textOrNil("answered_by"),
      answeredAt: try row.instantOrNil("answered_at"), reread: try row.textOrNil("reread").flatMap { DeliveryID($0) },
      stillBad: try row.int("still_bad"))
  }
}
