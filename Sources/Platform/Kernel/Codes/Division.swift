import CEmbedded

/// One administrative division (行政区划) in one spelling of its life: a county that became a district is two of these,
/// linked by succession.
package struct Division: Hashable, Sendable {
  package enum Level: String, Sendable, Comparable, CaseIterable {
    case province, prefecture, county, township

    package var name: Text {
      switch self {
      case .province: Text("省级", "Province")
      case .prefecture: Text("市州级", "Prefecture")
      case .county: Text("县级", "County")
      case .township: Text("乡级", "Township")
      }
    }

    package static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self)! }
  }

  /// 2, 4, 6 or 9 digits (GB/T 2260 shortened; 9 with the township of GB/T 10114).
  package let code: String
  package let name: String
  package let parent: String?
  package let level: Level
  /// The first day it was in force; nil when it was there before our oldest edition.
  package var from: CalendarDate?
  /// The first day it was in force no more; nil while it stands.
  package var until: CalendarDate?
  /// Whether `from` and `until` are days on record. Otherwise they are the editions' days between which the change fell,
  /// and both spellings are accepted between them.
  package var exact = false
  /// Who came after and before it. A number can only be read forward: people and firms keep the one they were given.
  package var successors: [String] = []
  package var predecessors: [String] = []

  package func stands(on day: CalendarDate) -> Bool { (from ?? day) <= day && (until.map { day < $0 } ?? true) }
  package var isHistorical: Bool { until != nil }

  /// Six digits for other standards' codes: `63` gives `630000`. Townships give their county's.
  package var sixDigits: String {
    String((code + "0000").prefix(6))
  }
}

/// The divisions of the country to the county and of Qinghai to the township, as of two editions of the public
/// statistical codes (2018 and 2023), with Qinghai's successions as dated data.
package struct Divisions: Sendable {
  /// What the binary carries.
  package static let embedded: Divisions = {
    do {
      return try Divisions(
        editions: [
          (CalendarDate("2018-12-31")!, embeddedText(sj_divisions_2018_csv(), sj_divisions_2018_csv_length)),
          (CalendarDate("2023-12-31")!, embeddedText(sj_divisions_2023_csv(), sj_divisions_2023_csv_length)),
        ],
        successions: embeddedText(sj_divisions_succession_csv(), sj_divisions_succession_csv_length))
    } catch { fatalError("the embedded divisions are broken: \(error)") }
  }()

  /// Every spelling of a code's life, the newest last.
  private var byCode: [String: [Division]] = [:]
  private var childCodes: [String: [String]] = [:]

  /// The newest spelling, also of a code long out of force; nil when there never was such a code.
  package func known(_ code: some StringProtocol) -> Division? { byCode[Self.short(code)]?.last }

  /// The division that bore the code on that day.
  package func division(_ code: some StringProtocol, on day: CalendarDate) -> Division? {
    byCode[Self.short(code)]?.last { $0.stands(on: day) }
  }

  /// The divisions right under it on that day, by code.
  package func children(of code: some StringProtocol, on day: CalendarDate) -> [Division] {
    (childCodes[Self.short(code)] ?? []).compactMap { division($0, on: day) }
  }

  package func provinces(on day: CalendarDate) -> [Division] { children(of: "", on: day) }

  /// From the province down to it. Above a historical division stand those of its own time, as far as known.
  package func path(to code: some StringProtocol, on day: CalendarDate) -> [Division] {
    var path: [Division] = []
    var next = division(code, on: day) ?? known(code)
    while let division = next, path.count < 4 {
      path.append(division)
      next = division.parent.flatMap { parent in self.division(parent, on: day) ?? known(parent) }
    }
    return path.reversed()
  }

  /// `青海省海西蒙古族藏族自治州格尔木市`; nil for an unknown code.
  package func fullName(of code: some StringProtocol, on day: CalendarDate) -> String? {
    let path = path(to: code, on: day)
    return path.isEmpty ? nil : path.map(\.name).joined()
  }

  /// What the code's area belongs to on that day: itself while it stands, else what came after, step by step. Several
  /// when it was split; empty when nothing is known.
  package func successors(of code: some StringProtocol, on day: CalendarDate) -> [Division] {
    var result: [Division] = []
    var open = [Self.short(code)]
    var seen = Set(open)
    while !open.isEmpty {
      let code = open.removeFirst()
      if let division = division(code, on: day) {
        result.append(division)
        continue
      }
      for next in known(code)?.successors ?? [] where seen.insert(next).inserted { open.append(next) }
    }
    return result
  }

  /// The prefix under which the code is kept: trailing `00` pairs of six digits and trailing `000` of nine or twelve are
  /// dropped, so that `630000`, `630000000000` and `63` are one.
  package static func short(_ code: some StringProtocol) -> String {
    var text = String(code)
    if text.count == 12, text.hasSuffix("000") { text.removeLast(3) }
    if text.count == 9, text.hasSuffix("000") { text.removeLast(3) }
    if text.count == 6, text.hasSuffix("00") { text.removeLast(2) }
    if text.count == 4, text.hasSuffix("00") { text.removeLast(2) }
    return text
  }
}

// MARK: - Reading

extension Divisions {
  package enum Broken: Error, Hashable, Sendable {
    case csv(CSV.Fault)
    case level(code: String)
    case parent(code: String)
    case date(code: String)
    case unknown(code: String)
  }

  /// Editions oldest first. A spelling in one edition only began or ended between the two; succession lines give the day.
  package init(editions: [(day: CalendarDate, text: String)], successions: String) throws(Broken) {
    var previous: Set<String> = []
    var listed: [(day: CalendarDate, of: Set<String>, deepest: Set<Division.Level>)] = []
    for edition in editions {
      var now: Set<String> = []
      var levels: Set<Division.Level> = []
      for row in try Self.rows(edition.text) {
        let division = try Self.division(from: row)
        levels.insert(division.level)
        now.insert(division.code)
        if byCode[division.code]?.last?.name == division.name { continue }
        // A new name ends the old spelling on a day we do not know: somewhere after the edition before.
        if let last = byCode[division.code]?.indices.last { byCode[division.code]![last].until = edition.day }
        var fresh = division
        // A level that the edition before did not list at all says nothing about when its divisions began.
        if let before = listed.last, before.deepest.contains(division.level) { fresh.from = before.day + 1 }
        insert(fresh)
      }
      for code in previous.subtracting(now) {
        if let last = byCode[code]?.indices.last { byCode[code]![last].until = edition.day }
      }
      previous = now
      listed.append((edition.day, now, levels))
    }
    for row in try Self.rows(successions) { try succeed(row) }
    for (code, list) in byCode {
      if let parent = list[0].parent, byCode[parent] == nil { throw .parent(code: code) }
    }
    for key in childCodes.keys { childCodes[key]!.sort() }
  }

  private static func rows(_ text: String) throws(Broken) -> [CSV.Row] {
    do { return try CSV.table(text, comments: true).rows } catch { throw .csv(error) }
  }

  private static func division(from row: CSV.Row) throws(Broken) -> Division {
    guard let level = Division.Level(rawValue: row["level"]) else { throw .level(code: row["code"]) }
    let parent = row["parent_code"]
    return Division(code: row["code"], name: row["name"], parent: parent.isEmpty ? nil : parent, level: level)
  }

  private mutating func insert(_ division: Division) {
    byCode[division.code, default: []].append(division)
    if byCode[division.code]!.count == 1 { childCodes[division.parent ?? "", default: []].append(division.code) }
  }

  /// One line `code,name,parent_code,level,until,successors,source`: until then the code stood, since then its successors.
  private mutating func succeed(_ row: CSV.Row) throws(Broken) {
    let old = try Self.division(from: row)
    guard let day = CalendarDate(row["until"]) else { throw .date(code: old.code) }
    let successors = row["successors"].split(separator: ";").map(String.init)
    if byCode[old.code] == nil { insert(old) }
    let last = byCode[old.code]!.count - 1
    byCode[old.code]![last].until = day
    byCode[old.code]![last].exact = true
    byCode[old.code]![last].successors = successors
    for code in successors {
      guard byCode[code] != nil else { throw .unknown(code: code) }
      byCode[code]![0].predecessors.append(old.code)
      byCode[code]![0].from = day
      byCode[code]![0].exact = true
    }
  }
}
