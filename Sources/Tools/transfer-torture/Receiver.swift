import Foundation
import TestKit

/// A run's receiver of messages: the documented example as a process of its own, which may be killed, with its rows and
/// its books in a file of SQLite's.
///
/// A trigger in that file keeps a journal of every message that was taken, in the transaction that took it, whatever the
/// receiver forgets later.
final class Receiver {
  let process: MessageReceiver
  let database: Database

  init(in folder: String, scratch: String) throws {
    process = try MessageReceiver(in: folder)
    database = Database(product: .sqlite, place: process.database, scratch: scratch)
    try database.run(
      """
      CREATE TABLE torture_taken (step INTEGER PRIMARY KEY, number INTEGER, fence INTEGER, id TEXT);
      CREATE TRIGGER torture_take AFTER INSERT ON sj_stream BEGIN
        INSERT INTO torture_taken (number, fence, id) VALUES (NEW.number, NEW.fence, NEW.id);
      END;
      """)
  }

  /// Throws unless every message was taken once, one behind the other, none under a fence lower than the one before; and
  /// unless those that are kept are the last ones, each what its place says. Answers how many were taken.
  func checkSequence(_ name: String, fence: Int) throws -> Int {
    let rows = try database.ask([
      """
      SELECT 'taken', COUNT(*), COALESCE(MIN(number), 0), COALESCE(MAX(number), 0), COUNT(DISTINCT id),
        COALESCE(MAX(fence), 0) FROM torture_taken
      """,
      """
      SELECT 'broken', a.number, a.fence, b.number, b.fence FROM torture_taken a JOIN torture_taken b ON b.step = a.step + 1
        WHERE b.number <> a.number + 1 OR b.fence < a.fence LIMIT 3
      """,
      "SELECT 'stream', number, json_extract(offset, '$.number', '$.keep') FROM sj_stream WHERE tbl = '\(name)'",
      """
      SELECT 'kept', COUNT(*), COALESCE(MIN(number), 1), COALESCE(MAX(number), 0), COALESCE(SUM(number = json_extract(
        CAST(substr(body, 1, instr(body, x'0a') - 1) AS TEXT), '$.number')), 0) FROM sj_message WHERE tbl = '\(name)'
      """,
    ])
    func numbers(_ word: String) -> [Int]? {
      rows.first { $0[0] == word }.map { $0.dropFirst().map { Int($0) ?? -1 } }
    }
    let story = rows.map { $0.joined(separator: " ") }.joined(separator: "; ")
    guard let taken = numbers("taken"), numbers("broken") == nil, taken[0] == taken[2], taken[0] == taken[3],
      taken[0] == 0 || taken[1] == 1, taken[4] <= fence
    else { throw Failure("the receiver took messages twice, out of order or of the wrong worker: \(story)") }
    guard let kept = numbers("kept"), kept[0] == kept[2] - kept[1] + 1, kept[3] == kept[0], kept[2] == taken[2],
      (numbers("stream")?.first ?? 0) == taken[2]
    else { throw Failure("the receiver's inbox is not the last messages that it took: \(story)") }
    return taken[0]
  }
}
