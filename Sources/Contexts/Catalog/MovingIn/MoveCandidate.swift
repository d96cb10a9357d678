internal import Connecting
internal import Identity
internal import Inventory
internal import Kernel
internal import NationalCrypto

/// An entry of the export in our terms, as far as that can be said without asking the store.
struct MoveCandidate: Sendable {
  struct Event: Sendable {
    /// `VersionEvent` or `OnlineEvent`.
    var event: String
    var at: Instant
    var person: String
    var words: String
  }

  var place: ExportPlace
  var oldID: String
  /// As it was written there.
  var oldCode: String
  var code: ResourceCode?
  var metadata = Metadata()
  var items: [Item] = []
  var state: MoveState
  var publishedOn: CalendarDate?
  var office: MoveExport.Office
  /// By name, as the other system has it.
  var system: String
  var events: [Event] = []
  var findings: [MoveFinding] = []
  var previous: String
  /// Codes it had there besides, one for each class: never given again.
  var otherCodes: [ResourceCode] = []
  var isLeftOut = false

  /// Changes exactly when the export says something else of it. The findings belong to it: they are what was done to it.
  var digest: String {
    let m = metadata
    var parts = [
      oldCode, m.name, m.classes.joined(separator: " "), m.abstract, m.format, m.sharingType, m.sharingCondition,
      m.methodClass, m.methodType, m.openType, m.openCondition, m.cycle, m.related.joined(separator: " "), m.secrecy,
      m.level, state.rawValue, publishedOn?.description ?? "", office.name, office.creditCode, system,
    ]
    for item in items {
      parts += [
        item.name, item.column, item.dataType, item.length.map(String.init) ?? "", item.scale.map(String.init) ?? "",
        item.isNullable ? "1" : "0", item.isKey ? "1" : "0", item.description, item.sharingType ?? "",
        item.sharingCondition, item.grade,
      ]
    }
    for event in events { parts += [event.event, "\(event.at)", event.person, event.words] }
    return SM3.hash(parts.map { "\($0.utf8.count):\($0)" }.joined()).hex
  }
}

/// Puts rows into our terms: codes by the mapping, texts within their limits, days as days. Pure but for the ids.
struct MoveReading {
  let mapping: MoveMapping
  let export: MoveExport
  /// Their classes → ours.
  let classCodes: [String: String]
  let lists: CodeLists
  let now: Instant
  /// Which code became which, and how often.
  private(set) var codes: [String: [String: (ours: String?, times: Int)]] = [:]

  init(_ mapping: MoveMapping, _ export: MoveExport, classCodes: [String: String], lists: CodeLists, at now: Instant) {
    self.mapping = mapping
    self.export = export
    self.classCodes = classCodes
    self.lists = lists
    self.now = now
  }

  mutating func candidate(_ entry: MoveExport.Entry) -> MoveCandidate {
    let row = entry.row
    let columns = mapping.entries.columns
    var one = MoveCandidate(
      place: row.place, oldID: row["id"], oldCode: row["code"], state: .draft,
      office: office(row),
      system: export.systems[row["system"]] ?? row["system"], previous: row["previous"])
    readClasses(entry, &one)
    one.state = state(entry, &one)
    readCode(&one)

    var m = one.metadata
    m.name = text(row, "name", Metadata.limits.name, columns, &one)
    m.abstract = text(row, "abstract", Metadata.limits.abstract, columns, &one)
    m.sharingType = code(row, "sharingType", columns, &one)
    m.sharingCondition = text(row, "sharingCondition", Metadata.limits.sharingCondition, columns, &one)
    m.methodClass = code(row, "methodClass", columns, &one)
    m.methodType = code(row, "methodType", columns, &one)
    m.openType = code(row, "openType", columns, &one)
    m.openCondition = text(row, "openCondition", Metadata.limits.openCondition, columns, &one)
    m.cycle = code(row, "cycle", columns, &one)
    m.related = row["related"].split { " ,，、;；|".contains($0) }.map(String.init)
    m.level = row["level"].isEmpty ? "2" : code(row, "level", columns, &one)
    m.format = format(entry, &one)
    m.secrecy = row["secrecy"].isEmpty ? "0" : code(row, "secrecy", columns, &one)
    one.metadata = m
    one.publishedOn = row["publishedOn"].isEmpty ? nil : day(row, "publishedOn", columns["publishedOn"] ?? "", &one)
    readItems(entry, &one)
    readHistory(entry, &one)
    if one.publishedOn == nil {
      one.publishedOn = one.events.last { $0.event == VersionEvent.publish.rawValue }?.at.dateInChina
    }
    if m.secrecy != "0" { hide(&one) }
    return one
  }

  /// A secret entry must not come onto this network, and so must nothing that it says.
  private func hide(_ one: inout MoveCandidate) {
    one.isLeftOut = true
    one.metadata = Metadata()
    one.items = []
    one.events = []
    one.findings = [
      MoveFinding(
        one.place, mapping.entries.columns["secrecy"] ?? "", "", "secrecy.secret",
        Text(
          "标为涉密，不得进入本网；内容未读入、未写入报告。请在涉密网办理。",
          "It is marked secret and must not come onto this network; nothing of it was kept or is shown here."), .leftOut
      )
    ]
  }

  // MARK: Parts

  /// As the entry itself names it; what the list of offices says only where the entry does not say otherwise.
  private func office(_ row: ExportRow) -> MoveExport.Office {
    let listed = export.offices[row["office"]]
    var office = MoveExport.Office(name: row["officeName"], creditCode: row["officeCode"])
    if office.name.isEmpty { office.name = listed?.name ?? "" }
    if office.creditCode.isEmpty, office.name == listed?.name { office.creditCode = listed?.creditCode ?? "" }
    return office
  }

  private mutating func readClasses(_ entry: MoveExport.Entry, _ one: inout MoveCandidate) {
    let columns = mapping.entryClasses?.columns ?? [:]
    for row in entry.classes {
      guard let ours = classCodes[row["class"]] else {
        one.findings.append(
          MoveFinding(
            row.place, columns["class"] ?? "", row["class"], "class.unknown",
            Text("分类表中没有这个分类。", "The table of classes has no such class."), .leftOut))
        continue
      }
      if !one.metadata.classes.contains(ours) {
        guard one.metadata.classes.count < Metadata.limits.classes else {
          one.findings.append(
            MoveFinding(
              row.place, columns["class"] ?? "", ours, "class.many",
              Text(
                "一条目录最多 \(Metadata.limits.classes) 个分类。", "An entry has at most \(Metadata.limits.classes) classes."),
              .leftOut))
          continue
        }
        one.metadata.classes.append(ours)
      }
      let code = row["code"]
      if one.oldCode.isEmpty {
        one.oldCode = code
      } else if !code.isEmpty, code != one.oldCode {
        if let other = Self.resourceCode(code) { one.otherCodes.append(other) }
        one.findings.append(
          MoveFinding(
            row.place, columns["code"] ?? "", code, "code.second",
            Text(
              "每个分类各有一个代码；一条目录只留第一个 \(one.oldCode)，这个代码不再使用。",
              "It has a code for each class; an entry keeps one, \(one.oldCode), and this one is never given again."),
            .leftOut))
      }
    }
  }

  private mutating func state(_ entry: MoveExport.Entry, _ one: inout MoveCandidate) -> MoveState {
    let (row, columns) =
      entry.classes.first { !$0["state"].isEmpty }.map { ($0, mapping.entryClasses?.columns ?? [:]) }
      ?? (entry.row, mapping.entries.columns)
    guard let state = MoveState(rawValue: code(row, "state", columns, &one)) else { return .draft }
    if state == .submitted {
      one.findings.append(
        MoveFinding(
          row.place, columns["state"] ?? "", row["state"], "state.submitted",
          Text("原系统待审核；请在本平台核对后重新提交。", "It waited for review there; check it and submit it here again."), .draftOnly))
    }
    return state
  }

  private func readCode(_ one: inout MoveCandidate) {
    guard !one.oldCode.isEmpty, let code = Self.resourceCode(one.oldCode) else {
      if !one.oldCode.isEmpty {
        one.findings.append(
          MoveFinding(
            one.place, mapping.entries.columns["code"] ?? mapping.entryClasses?.columns["code"] ?? "", one.oldCode,
            "code.malformed",
            Text(
              "不是信息资源代码的形式（分类代码/顺序号）；登记时按规则另编。",
              "It has not the form of a code (class/number); a new one is given by rule."),
            .newCode))
      }
      return
    }
    one.code = code
    if code.description != one.oldCode {
      one.findings.append(
        MoveFinding(
          one.place, mapping.entries.columns["code"] ?? mapping.entryClasses?.columns["code"] ?? "", one.oldCode,
          "code.written",
          Text("按规则写作 \(code)，节点和顺序号不变。", "Written \(code) by rule; node and number are the same."), .replaced))
    }
  }

  /// A code with a running number of any width: `3070120337/17` is `3070120337/000017`.
  static func resourceCode(_ text: String) -> ResourceCode? {
    if let code = ResourceCode(text) { return code }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...12).contains(parts[1].utf8.count), let number = Int(parts[1]), number > 0 else {
      return nil
    }
    return ResourceCode(ResourceCode(node: String(parts[0]), number: number).description)
  }

  private mutating func format(_ entry: MoveExport.Entry, _ one: inout MoveCandidate) -> String {
    let rows = entry.formats.isEmpty ? [entry.row] : entry.formats
    let columns = entry.formats.isEmpty ? mapping.entries.columns : mapping.formats?.columns ?? [:]
    guard let first = rows.first else { return "" }
    for other in rows.dropFirst() {
      one.findings.append(
        MoveFinding(
          other.place, columns["format"] ?? "", other["format"], "format.second",
          Text("一条目录一种格式，取第一种。", "An entry has one format; the first is taken."), .leftOut))
    }
    let type = first["format"]
    if lists.formats[type] != nil { return type }
    if type.isEmpty, !first["formatClass"].isEmpty {
      // The class alone says which file or database it is not; its “other” stands for that.
      return code(first, "formatClass", columns, &one)
    }
    return type.isEmpty ? "" : code(first, "format", columns, &one)
  }

  private mutating func readItems(_ entry: MoveExport.Entry, _ one: inout MoveCandidate) {
    let columns = mapping.items.columns
    var rows = entry.items
    if columns["order"] != nil {
      rows = rows.enumerated().sorted {
        (Int($0.element["order"]) ?? $0.offset, $0.offset) < (Int($1.element["order"]) ?? $1.offset, $1.offset)
      }.map(\.element)
    }
    for row in rows {
      guard one.items.count < Metadata.limits.items else {
        one.findings.append(
          MoveFinding(
            row.place, "", row["name"], "items.many",
            Text("一条目录最多 \(Metadata.limits.items) 个信息项。", "An entry has at most \(Metadata.limits.items) items."),
            .leftOut
          ))
        continue
      }
      if !row["secrecy"].isEmpty, code(row, "secrecy", columns, &one) == "1" {
        one.findings.append(
          MoveFinding(
            row.place, columns["secrecy"] ?? "", "", "secrecy.secret",
            Text("信息项标为涉密，不得进入本网。", "The item is marked secret and must not come onto this network."), .leftOut))
        continue
      }
      let type = code(row, "dataType", columns, &one)
      let own = row["sharingType"].isEmpty ? "" : code(row, "sharingType", columns, &one)
      one.items.append(
        Item(
          id: .make(at: now), name: text(row, "name", Item.limits.name, columns, &one),
          column: text(row, "column", Item.limits.column, columns, &one), dataType: type,
          length: number(row, "length", columns, &one), scale: number(row, "scale", columns, &one),
          isNullable: row["isNullable"] != "0", isKey: row["isKey"] == "1",
          description: text(row, "description", Item.limits.description, columns, &one),
          sharingType: own.isEmpty || own == one.metadata.sharingType ? nil : own,
          sharingCondition: own.isEmpty || own == one.metadata.sharingType
            ? "" : text(row, "sharingCondition", Item.limits.sharingCondition, columns, &one),
          grade: row["grade"].isEmpty ? "2" : code(row, "grade", columns, &one)))
      // Where each item names a system, the entry belongs to it if they agree.
      if one.system.isEmpty { one.system = export.systems[row["system"]] ?? row["system"] }
    }
  }

  private mutating func readHistory(_ entry: MoveExport.Entry, _ one: inout MoveCandidate) {
    for (row, event) in entry.history {
      guard let at = Self.moment(row["at"]) else {
        one.findings.append(
          MoveFinding(
            row.place, "", row["at"], "history.day", Text("不是日期或时间。", "It is neither day nor time."), .leftOut))
        continue
      }
      one.events.append(
        MoveCandidate.Event(
          event: event, at: at, person: export.people[row["person"]] ?? row["person"],
          words: String(row["words"].prefix(1000))))
    }
    one.events.sort { $0.at < $1.at }
  }

  // MARK: Values

  private mutating func code(
    _ row: ExportRow, _ field: String, _ columns: [String: String], _ one: inout MoveCandidate
  ) -> String {
    let theirs = row[field]
    guard !theirs.isEmpty else { return "" }
    let ours = mapping.ours(field, theirs)
    codes[field, default: [:]][theirs, default: (ours, 0)].times += 1
    guard let ours else {
      one.findings.append(
        MoveFinding(
          row.place, columns[field] ?? "", theirs, "code.unknown",
          Text("对应关系中没有这个代码。", "The mapping knows no such code."), .leftOut))
      return ""
    }
    return ours
  }

  private func text(
    _ row: ExportRow, _ field: String, _ limit: Int, _ columns: [String: String], _ one: inout MoveCandidate
  ) -> String {
    let given = row[field]
    var scalars = String.UnicodeScalarView()
    var isMended = false
    for scalar in given.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
      isMended = isMended || isControl
      scalars.append(isControl ? " " : scalar)
    }
    if isMended {
      one.findings.append(
        MoveFinding(
          row.place, columns[field] ?? "", given, "text.control",
          Text("含看不见的字符或换行，以空格代替。", "It holds invisible characters or line ends; blanks stand in their place."),
          .replaced))
    }
    guard scalars.count > limit else { return String(scalars) }
    one.findings.append(
      MoveFinding(
        row.place, columns[field] ?? "", given, "text.long",
        Text("\(scalars.count) 字，最多 \(limit) 字。", "\(scalars.count) characters; \(limit) at most."), .shortened))
    return String(String.UnicodeScalarView(scalars.prefix(limit)))
  }

  private func number(
    _ row: ExportRow, _ field: String, _ columns: [String: String], _ one: inout MoveCandidate
  ) -> Int? {
    let given = row[field]
    if given.isEmpty { return nil }
    // 0 is how databases write “none”.
    if let number = Int(given), number >= 0 { return number == 0 ? nil : number }
    one.findings.append(
      MoveFinding(
        row.place, columns[field] ?? "", given, "number", Text("不是 0 以上的整数。", "It is no whole number from 0 on."),
        .leftOut))
    return nil
  }

  private func day(
    _ row: ExportRow, _ field: String, _ column: String, _ one: inout MoveCandidate
  ) -> CalendarDate? {
    if let moment = Self.moment(row[field]) { return moment.dateInChina }
    one.findings.append(
      MoveFinding(row.place, column, row[field], "day", Text("不是日期。", "It is no day."), .leftOut))
    return nil
  }

  /// `2017-12-03`, `2017/12/3`, `20171203`, each also with a time of day, which is Beijing's.
  static func moment(_ text: String) -> Instant? {
    let parts = text.split { " T".contains($0) }
    guard let first = parts.first else { return nil }
    var numbers = first.split { "-/.".contains($0) }.map { Int($0) }
    if numbers.count == 1, first.utf8.count == 8 {
      numbers = [Int(first.prefix(4)), Int(first.dropFirst(4).prefix(2)), Int(first.suffix(2))]
    }
    guard numbers.count == 3, let year = numbers[0], let month = numbers[1], let day = numbers[2], year >= 1900,
      let date = CalendarDate(year: year, month: month, day: day)
    else { return nil }
    let clock = parts.dropFirst().first?.split(separator: ":").map { Int($0.prefix { $0.isNumber }) ?? 0 } ?? []
    let seconds = zip(clock, [3600, 60, 1]).reduce(0) { $0 + $1.0 * $1.1 }
    guard (0..<86_400).contains(seconds) else { return nil }
    return date.startInChina + .seconds(seconds)
  }
}
