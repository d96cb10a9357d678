/// What is asked of a target about one stream, in the target's own words.
struct Look {
  /// The rows by their keys, each with whether it is flagged as stale.
  var content: String
  /// Everything that the stream has there, but for who holds it.
  var photograph: [String]
  /// Lines `offset`, batch, state; `record`, batch, delivered, quarantined; `rows`, batch, count.
  var record: [String]

  private static func content(_ name: String) -> String {
    """
    SELECT id, name, capital, born, note, CASE WHEN sj_stale_batch IS NULL THEN 0 ELSE 1 END FROM \(name) ORDER BY id;
    """
  }

  private static func rows(_ name: String) -> String {
    "SELECT id, name, capital, born, note, sj_batch, sj_stale_batch FROM \(name) ORDER BY id"
  }

  private static func counts(_ name: String) -> String {
    "SELECT 'rows', sj_batch, COUNT(*) FROM \(name) GROUP BY sj_batch"
  }

  /// Of a database that the engine writes into.
  static func database(_ name: String, newline: String) -> Look {
    Look(
      content: content(name),
      photograph: [
        "SELECT 'offset', run, batch, REPLACE(state, \(newline), ';') FROM sj_offset WHERE stream = '\(name)'",
        "SELECT 'batch', batch, run, delivered, quarantined, digest FROM sj_batch WHERE stream = '\(name)' ORDER BY batch",
        rows(name),
      ],
      record: [
        "SELECT 'offset', batch, REPLACE(state, \(newline), ';') FROM sj_offset WHERE stream = '\(name)'",
        "SELECT 'record', batch, delivered, quarantined FROM sj_batch WHERE stream = '\(name)'", counts(name),
      ])
  }

  /// Of the store of the documented receiver of messages, which is its own.
  static func receiver(_ name: String) -> Look {
    let state = "REPLACE(json_extract(offset, '$.state'), char(10), ';')"
    return Look(
      content: content(name),
      photograph: [
        "SELECT 'offset', number, json_extract(offset, '$.run', '$.last_batch'), \(state) FROM sj_stream WHERE tbl = '\(name)'",
        "SELECT 'batch', batch, record FROM sj_batch WHERE tbl = '\(name)' ORDER BY batch", rows(name),
      ],
      record: [
        "SELECT 'offset', json_extract(offset, '$.last_batch'), \(state) FROM sj_stream WHERE tbl = '\(name)'",
        "SELECT 'record', batch, json_extract(record, '$.rows'), json_extract(record, '$.quarantined') FROM sj_batch WHERE tbl = '\(name)'",
        counts(name),
      ])
  }
}
