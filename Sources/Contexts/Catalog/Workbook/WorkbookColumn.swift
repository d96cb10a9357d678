internal import Inventory
internal import Kernel
internal import Spreadsheets

/// The two sheets of the catalogue's workbook that are filled in.
package enum WorkbookSheet: String, Hashable, Sendable {
  case resources, items

  var name: Text {
    switch self {
    case .resources: Text("信息资源目录", "Resources")
    case .items: Text("信息项", "Items")
    }
  }
}

/// A column of such a sheet. `field` is the field that findings name.
struct WorkbookColumn: Sendable {
  enum Content: Sendable {
    case text
    case number
    case yesNo
    /// One of a list; its rules say whether it may be chosen today.
    case code(CodeChoices)
  }

  var field: String
  var title: Text
  var hint: Text
  var content: Content
  var isRequired: Bool
  var width: Double?

  init(
    _ field: String, _ words: ElementWords, _ content: Content = .text, required: Bool = false, width: Double? = nil
  ) {
    self.field = field
    title = words.title
    hint = words.hint
    self.content = content
    isRequired = required
    self.width = width
  }

  func sheetColumn(_ language: Language) -> SheetColumn {
    var column = SheetColumn(language(title), width: width, isRequired: isRequired)
    if !hint.chinese.isEmpty { column.note = language(hint) }
    switch content {
    case .text: break
    case .number: column.kind = .wholeNumber
    case .yesNo: column.kind = .yesNo
    case .code(let choices): column.choices = choices.offered.map { $0.shown(language) }
    }
    return column
  }
}

/// What an export tells of an entry beside what is filled in. When it comes back, the code says which entry is meant, and the
/// provider must be the office that sends it. The numbers stand where a column's index would.
enum ToldColumn: Int, CaseIterable, Sendable {
  case code = -2
  case provider = -3

  var field: String { self == .code ? "code" : "provider" }
  var title: Text { self == .code ? Text("信息资源代码", "Code") : Text("信息资源提供方", "Provider") }
}

/// A code as people choose it: `2 有条件共享`.
struct CodeChoice: Sendable {
  var code: String
  var name: Text
  var isOffered: Bool

  func shown(_ language: Language) -> String { "\(code) \(language(name))" }

  /// All of a list, whether or not today offers it.
  static func all(of list: CodeList, on day: CalendarDate) -> [CodeChoice] {
    let offered = Set(list.offered(on: day).map(\.code))
    return list.entries.map { CodeChoice(code: $0.code, name: $0.name, isOffered: offered.contains($0.code)) }
  }
}

/// The choices of a column, found by whatever of them was entered.
struct CodeChoices: Sendable {
  let all: [CodeChoice]
  /// By code, name in either language, or both; -1 for a name that two of them bear. Made once: a workbook asks a hundred
  /// thousand times.
  private let byText: [String: Int]

  init(_ all: [CodeChoice]) {
    self.all = all
    var byText: [String: Int] = [:]
    for (index, choice) in all.enumerated() {
      let texts = [choice.name.chinese, choice.name.english, choice.shown(.chinese), choice.shown(.english)]
      for text in Set(texts.map(Self.folded)) { byText[text] = byText[text] == nil ? index : -1 }
    }
    for (index, choice) in all.enumerated() { byText[Self.folded(choice.code)] = index }
    self.byText = byText
  }

  var offered: [CodeChoice] { all.filter(\.isOffered) }

  /// Nil when it is none of them, or of two.
  func find(_ entered: String) -> CodeChoice? {
    byText[Self.folded(entered)].flatMap { $0 < 0 ? nil : all[$0] }
  }

  /// Blanks and case apart, since Excel and hands add them.
  private static func folded(_ text: String) -> String { foldedForSearch(text).filter { !$0.isWhitespace } }
}
