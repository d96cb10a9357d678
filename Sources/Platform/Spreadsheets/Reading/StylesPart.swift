import Kernel

/// What each cell style (`s`) shows: of the whole stylesheet only what tells dates from numbers.
final class StylesPart: PartContent {
  private(set) var formats: [NumberFormat] = []
  private var custom: [Int: NumberFormat] = [:]
  private var section = Section.other
  private let part: String

  private enum Section { case numberFormats, cellFormats, other }
  /// Excel itself stops at 65,490.
  private static let most = 100_000

  init() { part = "" }

  init(_ part: String, _ container: Container, _ limits: ReadingLimits) throws(Refusal) {
    self.part = part
    try container.parse(part, limits, self)
  }

  /// A style that is not there shows a plain number.
  func format(_ style: Int) -> NumberFormat { style < formats.count ? formats[style] : .number }

  func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) throws(Refusal) {
    switch depth {
    case 1:
      guard name.is("styleSheet") else { throw .part("root", part, "不是样式表。", "this is no stylesheet.") }
    case 2: section = name.is("numFmts") ? .numberFormats : name.is("cellXfs") ? .cellFormats : .other
    case 3 where section == .numberFormats && name.is("numFmt"):
      guard let id = attributes.number("numFmtId"), let code = attributes["formatCode"] else { return }
      guard custom.count < Self.most, code.count <= 4096 else { throw tooMany }
      custom[id] = NumberFormat(code: String(decoding: code, as: UTF8.self))
    case 3 where section == .cellFormats && name.is("xf"):
      guard formats.count < Self.most else { throw tooMany }
      let id = attributes.number("numFmtId") ?? 0
      formats.append(custom[id] ?? NumberFormat(builtIn: id))
    default: break
    }
  }

  private var tooMany: Refusal {
    .tooLarge("styles", "工作簿的单元格样式过多或过长。", "The workbook has too many cell styles, or too long ones.")
  }

  func text(_ bytes: UnsafeRawBufferPointer) {}
  func end(_ name: ElementName, depth: Int) {}
}
