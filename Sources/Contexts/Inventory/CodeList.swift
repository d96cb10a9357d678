internal import CEmbedded
package import Kernel

/// A list of codes as data: what a code means, and from when to when it may be chosen. Pages offer it, rules read it,
/// and an old record keeps the code it was written with.
package struct CodeList: Sendable {
  package struct Entry: Hashable, Sendable {
    package var code: String
    package var name: Text
    /// What this list alone adds: days for an update cycle, fitting formats for a method.
    package var value: String
    package var validFrom: CalendarDate
    package var validTo: CalendarDate?

    func isOffered(on day: CalendarDate) -> Bool { validFrom <= day && (validTo.map { day < $0 } ?? true) }
  }

  package let name: String
  package let entries: [Entry]

  /// Any code that was ever valid, for showing.
  package subscript(_ code: String) -> Entry? { entries.first { $0.code == code } }

  /// The name of a code; the code itself when the list never had it.
  package func text(_ code: String) -> Text { self[code]?.name ?? Text(same: code) }

  /// Whether this code may be chosen on that day.
  package func permits(_ code: String, on day: CalendarDate) -> Bool {
    entries.contains { $0.code == code && $0.isOffered(on: day) }
  }

  package func offered(on day: CalendarDate) -> [Entry] { entries.filter { $0.isOffered(on: day) } }

  /// What a select offers: code and name in one language.
  package func options(_ language: Language, on day: CalendarDate, none: String? = nil) -> [(String, String)] {
    (none.map { [("", $0)] } ?? []) + offered(on: day).map { ($0.code, language($0.name)) }
  }
}

/// Every code list of this node.
package struct CodeLists: Sendable {
  /// Kept with a record, so that it can be read by the lists it was written under.
  package let version: String
  private let lists: [String: CodeList]

  package static let embedded: CodeLists = {
    do {
      return try CodeLists(version: "2017", text: embeddedText(sj_code_lists_csv(), sj_code_lists_csv_length))
    } catch {
      preconditionFailure("the embedded code lists are broken: \(error)")
    }
  }()

  package init(version: String, text: String) throws {
    self.version = version
    let table = try CSV.table(text, comments: true)
    try table.require("list", "code", "chinese", "english", "value", "valid_from", "valid_to")
    var gathered: [String: [CodeList.Entry]] = [:]
    for row in table.rows {
      guard let from = CalendarDate(row["valid_from"]), row["valid_to"].isEmpty || CalendarDate(row["valid_to"]) != nil
      else { throw Broken(line: row.line, problem: "validity is no date") }
      guard !(gathered[row["list"]] ?? []).contains(where: { $0.code == row["code"] && $0.validTo == nil })
      else { throw Broken(line: row.line, problem: "code stands twice") }
      gathered[row["list"], default: []].append(
        CodeList.Entry(
          code: row["code"], name: Text(row["chinese"], row["english"]), value: row["value"], validFrom: from,
          validTo: CalendarDate(row["valid_to"])))
    }
    lists = Dictionary(uniqueKeysWithValues: gathered.map { ($0.key, CodeList(name: $0.key, entries: $0.value)) })
  }

  package struct Broken: Error {
    package var line: Int
    package var problem: String
  }

  /// Every list, by name.
  package var all: [CodeList] { lists.values.sorted { $0.name < $1.name } }

  /// A list by its name; an unknown name is a defect of ours, and an empty list permits nothing.
  package subscript(_ name: String) -> CodeList { lists[name] ?? CodeList(name: name, entries: []) }

  package var networks: CodeList { self["network"] }
  package var stages: CodeList { self["stage"] }
  package var frequencies: CodeList { self["frequency"] }
  package var scopes: CodeList { self["scope"] }
  package var formats: CodeList { self["format"] }
  package var formatClasses: CodeList { self["format-class"] }
  package var itemTypes: CodeList { self["item-type"] }
  package var cycles: CodeList { self["cycle"] }
  package var sharingTypes: CodeList { self["sharing-type"] }
  package var methodClasses: CodeList { self["method-class"] }
  package var methodTypes: CodeList { self["method-type"] }
  package var openTypes: CodeList { self["open-type"] }
  package var secrecies: CodeList { self["secrecy"] }
  package var levels: CodeList { self["level"] }
  package var grades: CodeList { self["grade"] }
  package var semantics: CodeList { self["semantic"] }
}
