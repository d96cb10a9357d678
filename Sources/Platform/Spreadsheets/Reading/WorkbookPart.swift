import Kernel

/// The workbook's own part: its sheets in order and which date system it counts in.
final class WorkbookPart: PartContent {
  struct Sheet {
    var info: SheetInfo
    var relationship: String
  }

  private(set) var sheets: [Sheet] = []
  private(set) var dates = DateSystem.from1900
  private var isInSheets = false
  private let part: String
  private let limits: ReadingLimits

  init(_ part: String, _ container: Container, _ limits: ReadingLimits) throws(Refusal) {
    self.part = part
    self.limits = limits
    try container.parse(part, limits, self)
  }

  func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) throws(Refusal) {
    switch depth {
    case 1:
      guard name.is("workbook") else { throw .part("root", part, "不是工作簿。", "this is no workbook.") }
    case 2:
      isInSheets = name.is("sheets")
      if name.is("workbookPr"), attributes.flag("date1904") { dates = .from1904 }
    case 3 where isInSheets && name.is("sheet"): try add(attributes)
    default: break
    }
  }

  private func add(_ attributes: AttributeList) throws(Refusal) {
    guard sheets.count < limits.sheets else {
      throw .tooLarge("sheets", "工作簿有超过 \(limits.sheets) 个工作表。", "The workbook has more than \(limits.sheets) sheets.")
    }
    guard let written = attributes["name"], written.count <= 1024,
      let id = attributes.text("http://schemas.openxmlformats.org/officeDocument/2006/relationships|id")
        ?? attributes.text("http://purl.oclc.org/ooxml/officeDocument/relationships|id")
    else { throw .part("sheet", part, "有一个工作表缺少名称或编号。", "a sheet lacks its name or its id.") }
    var bytes = Array(written)
    TextEscapes.decode(&bytes, from: 0)
    let name = String(decoding: bytes, as: UTF8.self)
    guard !sheets.contains(where: { $0.info.name == name }) else {
      throw .part("sheet", part, "工作表名“\(shown(name))”重复。", "the sheet name “\(shown(name))” stands twice.")
    }
    let visibility = attributes.text("state").flatMap(SheetInfo.Visibility.init) ?? .visible
    sheets.append(Sheet(info: SheetInfo(name: name, visibility: visibility), relationship: id))
  }

  func text(_ bytes: UnsafeRawBufferPointer) {}
  func end(_ name: ElementName, depth: Int) {}
}
