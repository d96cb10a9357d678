import Connecting
import Kernel
import Storage
import Transfer

/// A part of a delivery that several workers carry out, as the platform knows it.
struct PartRecord: Hashable, Sendable {
  enum State: String, Sendable, CaseIterable {
    case waiting, running, done, failed
  }

  var part: DeliveryPart
  var state: State
  /// What its worker found, once it is done.
  var result: String?
  var cause: Cause?
  var read = 0
  /// How many views of the source this delivery's parts have lost before.
  var viewsLost = 0

  /// It can no longer read the source as the others do.
  var hasLostView: Bool { state == .failed && cause?.code == ConnectorError.viewLost.code }
}

/// The only SQL of a delivery's parts.
enum PartStore {
  static func list(of id: DeliveryID, in tx: any Transaction) throws -> [PartRecord] {
    try tx.rows("SELECT * FROM exchange_part WHERE delivery = \(id) ORDER BY place").map(record)
  }

  static func find(_ id: DeliveryID, _ place: Int, in tx: any Transaction) throws -> PartRecord? {
    try tx.row("SELECT * FROM exchange_part WHERE delivery = \(id) AND place = \(place)").map(record)
  }

  /// In place of whatever parts there were.
  static func set(_ parts: [DeliveryPart], viewsLost: Int, of id: DeliveryID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM exchange_part WHERE delivery = \(id)")
    for part in parts {
      try tx.run(
        """
        INSERT INTO exchange_part (delivery, place, part, state, rows_read, views_lost)
        VALUES (\(id), \(part.index), \(part.text), 'waiting', 0, \(viewsLost))
        """)
    }
  }

  static func set(
    _ state: PartRecord.State, result: String? = nil, _ cause: Cause? = nil, of id: DeliveryID, _ place: Int,
    in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE exchange_part SET state = \(state), result = \(result), code = \(cause?.code),
        reason_zh = \(cause?.words.chinese), reason_en = \(cause?.words.english)
      WHERE delivery = \(id) AND place = \(place)
      """)
  }

  static func show(_ progress: DeliveryProgress, of id: DeliveryID, _ place: Int, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE exchange_part SET rows_read = \(progress.read)
      WHERE delivery = \(id) AND place = \(place)
      """)
  }

  /// Of this delivery's parts those that are being carried out now.
  static func running(of id: DeliveryID, in tx: any Transaction) throws -> Int {
    try tx.int("SELECT COUNT(*) FROM exchange_part WHERE delivery = \(id) AND state = 'running'") ?? 0
  }

  private static func record(_ row: Row) throws -> PartRecord {
    guard let part = DeliveryPart(try row.text("part")) else { throw StorageError(.decoding, "a part of a delivery") }
    let cause = try row.textOrNil("code").map { code in
      Cause(code, Text(try row.textOrNil("reason_zh") ?? "", try row.textOrNil("reason_en") ?? ""))
    }
    return PartRecord(
      part: part, state: try row.choice("state"), result: try row.textOrNil("result"), cause: cause,
      read: try row.int("rows_read"), viewsLost: try row.int("views_lost"))
  }
}
