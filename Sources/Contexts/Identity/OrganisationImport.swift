package import Kernel
package import Storage

/// Qinghai's offices as facts: the file inside the binary, brought into the register.
package enum OrganisationImport {
  struct Line {
    /// As an editor counts, from 1.
    var number: Int
    var key: String
    var organisation: Organisation
    var predecessors: [String]
  }

  /// Adds what is not there yet, by the file's keys. Refused as a whole, naming line and field, when a code's check digit or
  /// a division is wrong, a period is empty, a name or a code stands twice at one time, a predecessor is unknown, overlaps
  /// its successor, or follows itself.
  @discardableResult
  package static func run(_ text: String, at now: Instant, in tx: any Transaction) throws -> Int {
    let lines = try read(text, at: now)
    try check(lines)
    var ids: [String: OrganisationID] = [:]
    for row in try tx.rows("SELECT id, file_key FROM identity_organisation WHERE file_key IS NOT NULL") {
      ids[try row.text("file_key")] = try row.id("id")
    }
    var added = 0
    for line in lines where ids[line.key] == nil {
      if let other = try OrganisationStore.clash(with: line.organisation, in: tx) {
        let field = other.creditCode == line.organisation.creditCode ? "credit_code" : "name"
        throw wrong(line.number, field, "与已登记的\(other.name)重复", "is that of \(other.name), which is registered already")
      }
      try OrganisationStore.insert(line.organisation, fileKey: line.key, in: tx)
      ids[line.key] = line.organisation.id
      added += 1
    }
    for line in lines {
      for key in line.predecessors {
        if let predecessor = ids[key], let successor = ids[line.key] {
          try OrganisationStore.link(predecessor, successor, in: tx)
        }
      }
    }
    return added
  }

  static func read(_ text: String, at now: Instant) throws -> [Line] {
    let all = text.split(separator: "\n", omittingEmptySubsequences: false)
    // Comments stand before the head only, so that a line's number is its place in the file.
    let comments = all.prefix { $0.hasPrefix("#") }.count
    let records = try CSV.parse(all.dropFirst(comments).joined(separator: "\n"))
    guard let head = records.first else { return [] }
    return try records.dropFirst().enumerated().map { index, fields in
      let number = comments + index + 2
      func value(_ name: String, _ lengths: ClosedRange<Int>) throws -> String {
        guard let at = head.firstIndex(of: name), at < fields.count else {
          throw wrong(number, name, "缺少", "is missing")
        }
        guard lengths.contains(PlainText.length(fields[at])) else {
          throw wrong(
            number, name, "应为 \(lengths.lowerBound) 到 \(lengths.upperBound) 个字符",
            "must have \(lengths.lowerBound) to \(lengths.upperBound) characters")
        }
        return fields[at]
      }
      func day(_ name: String) throws -> CalendarDate? {
        let text = try value(name, 0...10)
        if text.isEmpty { return nil }
        guard let day = CalendarDate(text) else { throw wrong(number, name, "不是日期", "is no date") }
        return day
      }
      guard let from = try day("valid_from") else { throw wrong(number, "valid_from", "缺少", "is missing") }
      let to = try day("valid_to")
      if let to, to <= from { throw wrong(number, "valid_to", "应晚于起始日", "must be after the first day") }
      let code = try value("credit_code", 18...18)
      guard (try? CreditCode(code)) != nil else {
        throw wrong(number, "credit_code", "校验不通过", "has a wrong check digit or form")
      }
      let division = try value("division", 2...9)
      guard Divisions.embedded.known(division) != nil else {
        throw wrong(number, "division", "没有这个行政区划", "is no division we know")
      }
      let node = try value("classification_node", 0...20)
      guard node.utf8.allSatisfy({ (48...57).contains($0) }) else {
        throw wrong(number, "classification_node", "应为数字", "must be digits")
      }
      for field in ["name", "short_name"] {
        if let wrong = PlainText.wrongName(try value(field, 2...100), lengths: 2...100) {
          throw Self.wrong(number, field, wrong.chinese, "— " + wrong.english)
        }
      }
      return Line(
        number: number, key: try value("key", 1...100),
        organisation: Organisation(
          id: .make(at: now), name: try value("name", 2...100), shortName: try value("short_name", 2...50),
          creditCode: code, division: division, classificationNode: node.isEmpty ? nil : node, validFrom: from,
          validTo: to),
        predecessors: try value("predecessors", 0...1000).split(separator: ";").map(String.init))
    }
  }

  /// Successions lead forward in time: a predecessor has ended by the day its successor begins, so no circle can form.
  static func check(_ lines: [Line]) throws {
    var byKey: [String: Line] = [:]
    var byCode: [String: Line] = [:]
    var byName: [String: [Line]] = [:]
    for line in lines {
      let office = line.organisation
      if let other = byKey.updateValue(line, forKey: line.key) {
        throw wrong(line.number, "key", "与第 \(other.number) 行重复", "stands in line \(other.number) already")
      }
      if let other = byCode.updateValue(line, forKey: office.creditCode) {
        throw wrong(line.number, "credit_code", "与第 \(other.number) 行重复", "stands in line \(other.number) already")
      }
      if let other = byName[office.name]?.first(where: { $0.organisation.overlaps(office) }) {
        throw wrong(
          line.number, "name", "与第 \(other.number) 行同名且期间重叠",
          "is that of line \(other.number), whose period overlaps")
      }
      byName[office.name, default: []].append(line)
    }
    for line in lines {
      for key in line.predecessors {
        guard let predecessor = byKey[key] else {
          throw wrong(line.number, "predecessors", "没有 \(key)", "names \(key), which is not there")
        }
        guard let end = predecessor.organisation.validTo, end <= line.organisation.validFrom else {
          throw wrong(
            line.number, "predecessors", "\(key) 与本单位期间重叠或循环", "names \(key), whose period overlaps or follows")
        }
      }
    }
  }

  private static func wrong(_ line: Int, _ field: String, _ chinese: String, _ english: String) -> Refusal {
    Refusal.invalid(
      "identity.organisations", field,
      Text("第 \(line) 行 \(field)：\(chinese)。", "Line \(line): \(field) \(english)."))
  }
}
