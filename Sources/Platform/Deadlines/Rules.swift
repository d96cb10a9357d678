import CEmbedded
package import Kernel

/// One number the law, or the province's configuration, sets: a period, a share, a count.
package struct Rule: Hashable, Sendable {
  package enum Unit: String, Hashable, Sendable, CaseIterable {
    case workingDays = "wd"
    case days = "d"
    case percent = "%"

    package var name: Text {
      switch self {
      case .workingDays: Text("个工作日", "working days")
      case .days: Text("日", "days")
      case .percent: Text("%", "%")
      }
    }
  }

  /// No period is longer: about four years.
  package static let longest = 1000

  /// Stable and dotted: `share.conditional.reply`.
  package let key: String
  package let value: Int
  package let unit: Unit
  /// What the number limits, for people.
  package let name: Text
  /// The text it was taken from.
  package let source: Text
  /// Whether the source was read. What was not is shown as configured, never as law.
  package let confirmed: Bool
  package let setVersion: String

  package var reference: RuleReference {
    RuleReference(key: key, version: setVersion, name: name, source: source, confirmed: confirmed)
  }

  /// `10 个工作日`.
  package var amount: Text { Text("\(value) \(unit.name.chinese)", "\(value) \(unit.name.english)") }
}

/// A rule as a case keeps it: enough to explain a due date when the rule set is long replaced.
package struct RuleReference: Hashable, Sendable {
  package let key: String
  package let version: String
  package let name: Text
  package let source: Text
  package let confirmed: Bool

  package init(key: String, version: String, name: Text, source: Text, confirmed: Bool) {
    self.key = key
    self.version = version
    self.name = name
    self.source = source
    self.confirmed = confirmed
  }

  /// The law by name only where its text was read; otherwise the rule as this platform is configured.
  package var citation: Text {
    confirmed
      ? Text("\(name.chinese)：\(source.chinese)", "\(name.english): \(source.english)")
      : Text("\(name.chinese)：配置规则（\(version) 版）", "\(name.english): configured rule (version \(version))")
  }
}

/// One version of all rules, in force from a day on. A case takes its rules from the set of its day and keeps them.
package struct RuleSet: Hashable, Sendable {
  package let version: String
  package let inForceFrom: CalendarDate
  /// By key.
  package let rules: [Rule]
  private let byKey: [String: Int]

  package enum Fault: Error, Hashable, Sendable {
    case csv(CSV.Fault)
    /// The first lines must be `# version: …` and `# in force from: yyyy-mm-dd`.
    case head
    case key(line: Int)
    case value(line: Int)
    case unit(line: Int)
    case confirmed(line: Int)
    case repeated(line: Int)

    package var message: Text {
      switch self {
      case .csv(let fault): fault.message
      case .head:
        Text("开头应有 # version: 与 # in force from: 两行。", "The file begins with lines # version: and # in force from:.")
      case .key(let line):
        Text("第 \(line) 行：键应形如 share.conditional.reply。", "Line \(line): a key looks like share.conditional.reply.")
      case .value(let line):
        Text(
          "第 \(line) 行：数值应为 0 至 \(Rule.longest) 的整数。",
          "Line \(line): a value is a whole number from 0 to \(Rule.longest).")
      case .unit(let line): Text("第 \(line) 行：单位应为 wd、d 或 %。", "Line \(line): the unit is wd, d or %.")
      case .confirmed(let line): Text("第 \(line) 行：confirmed 应为 yes 或 no。", "Line \(line): confirmed is yes or no.")
      case .repeated(let line): Text("第 \(line) 行：键重复。", "Line \(line): the key stands twice.")
      }
    }
  }

  /// Reads `key,value,unit,name_zh,name_en,source_zh,source_en,confirmed` under the two comment lines of the head.
  package init(csv text: String) throws(Fault) {
    var head: [String: String] = [:]
    for line in text.split(separator: "\n").prefix(10) where line.hasPrefix("# ") {
      let parts = line.dropFirst(2).split(separator: ":", maxSplits: 1)
      if parts.count == 2 { head[String(parts[0])] = String(parts[1].drop { $0 == " " }) }
    }
    guard let version = head["version"], !version.isEmpty,
      let from = head["in force from"].flatMap({ CalendarDate($0) })
    else { throw .head }
    let table: CSV.Table
    do {
      table = try CSV.table(text, comments: true)
      try table.require("key", "value", "unit", "name_zh", "name_en", "source_zh", "source_en", "confirmed")
    } catch { throw .csv(error) }
    var rules: [Rule] = []
    var byKey: [String: Int] = [:]
    for row in table.rows {
      let key = row["key"]
      guard key.utf8.count <= 64, key.contains("."), key.utf8.allSatisfy({ isKeyByte($0) }) else {
        throw .key(line: row.line)
      }
      guard let value = Int(row["value"]), (0...Rule.longest).contains(value) else { throw .value(line: row.line) }
      guard let unit = Rule.Unit(rawValue: row["unit"]) else { throw .unit(line: row.line) }
      guard ["yes", "no"].contains(row["confirmed"]) else { throw .confirmed(line: row.line) }
      guard byKey.updateValue(rules.count, forKey: key) == nil else { throw .repeated(line: row.line) }
      rules.append(
        Rule(
          key: key, value: value, unit: unit, name: Text(row["name_zh"], row["name_en"]),
          source: Text(row["source_zh"], row["source_en"]), confirmed: row["confirmed"] == "yes", setVersion: version))
    }
    self.version = version
    inForceFrom = from
    self.rules = rules
    self.byKey = byKey
  }

  package subscript(_ key: String) -> Rule? { byKey[key].map { rules[$0] } }

  /// Terms for a clock from the rule of that key, with the most extension from `key + ".extension"` where there is one.
  /// Nil for a missing key or one that is no number of working days.
  package func terms(_ key: String) -> ClockState.Terms? {
    guard let rule = self[key], rule.unit == .workingDays else { return nil }
    return ClockState.Terms(
      workingDays: rule.value, mostExtension: self[key + ".extension"]?.value ?? 0, rule: rule.reference)
  }

  // MARK: - What the binary carries

  /// All sets, oldest first.
  package static let embedded: [RuleSet] = {
    do {
      return try [
        RuleSet(csv: embeddedText(sj_rules_2017_csv(), sj_rules_2017_csv_length)),
        RuleSet(csv: embeddedText(sj_rules_2025_csv(), sj_rules_2025_csv_length)),
      ]
    } catch { fatalError("the embedded rules are broken: \(error)") }
  }()

  /// The set in force on that day; before the first, the first.
  package static func inForce(on day: CalendarDate, of sets: [RuleSet] = embedded) -> RuleSet {
    sets.last { $0.inForceFrom <= day } ?? sets[0]
  }
}

private func isKeyByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"),
    UInt8(ascii: "."):
    true
  default: false
  }
}
