import Connecting

/// Text of other character sets as UTF-8: the log has a column's own bytes, and the server is asked what they are, so that
/// a change says what a reading of its row would say.
final class MariaDBTextConversion {
  private struct Asked: Hashable {
    var characterSet: String
    var bytes: [UInt8]
  }

  struct Answer {
    var text: [UInt8]
    /// Every character has its place in Unicode.
    var isFaithful: Bool
  }

  private let connection: MariaDBConnection
  private var characterSets: [Int: String] = [:]
  private var known: [Asked: Answer] = [:]
  private static let mostKnown = 4096
  /// ASCII is one byte a letter, and the same, in these.
  private static let aboveASCII: Set<String> = ["ascii", "latin1", "gbk", "gb2312", "big5"]

  init(_ connection: MariaDBConnection) throws(ConnectorError) {
    self.connection = connection
    var rows: [[String?]] = []
    do {
      rows = try connection.run(
        "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY")
    } catch  where error.code == "mariadb.1054" {
      // Before 10.10 every collation has one number only.
      rows = try connection.run("SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS")
    }
    for row in rows { if let number = row[0].flatMap({ Int($0) }) { characterSets[number] = row[1] } }
  }

  func characterSet(of collation: Int) -> String? { characterSets[collation] }

  func utf8(_ bytes: UnsafeRawBufferPointer, from characterSet: String) throws(ConnectorError) -> Answer {
    if ["utf8mb4", "utf8mb3", "utf8"].contains(characterSet)
      || (Self.aboveASCII.contains(characterSet) && bytes.allSatisfy { $0 < 0x80 }) || bytes.isEmpty
    {
      return Answer(text: [UInt8](bytes), isFaithful: true)
    }
    let asked = Asked(characterSet: characterSet, bytes: [UInt8](bytes))
    if let answer = known[asked] { return answer }
    let answer = try ask(asked)
    if known.count >= Self.mostKnown { known.removeAll(keepingCapacity: true) }
    if asked.bytes.count <= 256 { known[asked] = answer }
    return answer
  }

  private func ask(_ asked: Asked) throws(ConnectorError) -> Answer {
    var column = MariaDBTable.Column(
      description: ColumnDescription(
        name: "v", nativeType: "", type: .text, length: nil, isNullable: false, comment: nil),
      base: "text")
    column.characterSet = asked.characterSet
    let value = "_\(asked.characterSet) \(MariaDBQuote.hexadecimal(asked.bytes))"
    do {
      let row = try connection.run(
        "SELECT CONVERT(v USING utf8mb4), \(column.isFaithful ? "1" : column.proof) FROM (SELECT \(value) AS v) one")[0]
      return Answer(text: Array((row[0] ?? "").utf8), isFaithful: row[1] == "1")
    } catch  where error.code == "mariadb.1300" {
      return Answer(text: asked.bytes, isFaithful: false)
    }
  }
}
