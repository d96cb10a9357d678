package import Kernel
package import Storage

/// Qinghai's offices as facts: the file inside the binary, brought into the register.
package enum OrganisationImport {
  struct Line {
    var key: String
    var organisation: Organisation
    var predecessors: [String]
  }

  /// Adds what is not there yet, by the file's keys. Refused as a whole, naming line and field, when a code's check digit is
  /// wrong, a period is empty, a predecessor is unknown, overlaps its successor, or follows itself.
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
    let body = text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("#") }.joined(
      separator: "\n")
    let records = try CSV.parse(body)
    guard let head = records.first else { return [] }
    return try records.dropFirst().enumerated().map { index, fields in
      func value(_ name: String) throws -> String {
        guard let at = head.firstIndex(of: name), at < fields.count else {
          throw wrong(index, name, "缺少", "is missing")
        }
        return fields[at]
      }
      func day(_ name: String) throws -> CalendarDate? {
        let text = try value(name)
        if text.isEmpty { return nil }
        guard let day = CalendarDate(text) else { throw wrong(index, name, "不是日期", "is no date") }
        return day
      }
      guard let from = try day("valid_from") else { throw wrong(index, "valid_from", "缺少", "is missing") }
      let to = try day("valid_to")
      if let to, to <= from { throw wrong(index, "valid_to", "应晚于起始日", "must be after the first day") }
      let code = try value("credit_code")
      guard (try? CreditCode(code)) != nil else {
        throw wrong(index, "credit_code", "校验不通过", "has a wrong check digit or form")
      }
      let node = try value("classification_node")
      return Line(
        key: try value("key"),
        organisation: Organisation(
          id: .make(at: now), name: try value("name"), shortName: try value("short_name"), creditCode: code,
          division: try value("division"), classificationNode: node.isEmpty ? nil : node, validFrom: from, validTo: to),
        predecessors: try value("predecessors").split(separator: ";").map(String.init))
    }
  }

  /// Successions lead forward in time: a predecessor has ended by the day its successor begins, so no circle can form.
  static func check(_ lines: [Line]) throws {
    let byKey = Dictionary(lines.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    guard byKey.count == lines.count else {
      throw Refusal.invalid("identity.organisations", "key", Text("有重复的 key。", "A key stands twice."))
    }
    for (index, line) in lines.enumerated() {
      for key in line.predecessors {
        guard let predecessor = byKey[key] else {
          throw wrong(index, "predecessors", "没有 \(key)", "names \(key), which is not there")
        }
        guard let end = predecessor.organisation.validTo, end <= line.organisation.validFrom else {
          throw wrong(index, "predecessors", "\(key) 与本单位期间重叠或循环", "names \(key), whose period overlaps or follows")
        }
      }
    }
  }

  private static func wrong(_ index: Int, _ field: String, _ chinese: String, _ english: String) -> Refusal {
    Refusal.invalid(
      "identity.organisations", field,
      Text("第 \(index + 2) 行 \(field)：\(chinese)。", "Line \(index + 2): \(field) \(english)."))
  }
}
