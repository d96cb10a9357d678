import Kernel

/// What a file is by its first bytes, whatever its name says.
enum FileKind {
  case zip, empty
  /// A compound file with an old workbook in it.
  case oldWorkbook
  /// A compound file around an encrypted workbook.
  case encryptedWorkbook
  case otherCompound
  case pdf, html, xml, rtf, image, otherArchive, text, unknown

  init(_ file: WorkbookFile) {
    let head = file.bytes(1024, at: 0)
    func begins(_ magic: [UInt8]) -> Bool { head.starts(with: magic) }
    if head.isEmpty {
      self = .empty
    } else if begins([0x50, 0x4B, 3, 4]) || begins([0x50, 0x4B, 5, 6]) {
      self = .zip
    } else if begins([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
      // Names in a compound file's directory are UTF-16.
      func holds(_ name: String) -> Bool { file.contains(name.utf8.flatMap { [$0, 0] }) }
      self =
        holds("EncryptedPackage")
        ? .encryptedWorkbook : holds("Workbook") || holds("Book") ? .oldWorkbook : .otherCompound
    } else if begins(Array("%PDF".utf8)) {
      self = .pdf
    } else if begins(Array("{\\rtf".utf8)) {
      self = .rtf
    } else if begins([0x89, 0x50, 0x4E, 0x47]) || begins([0xFF, 0xD8, 0xFF]) || begins(Array("GIF8".utf8)) {
      self = .image
    } else if begins(Array("Rar!".utf8)) || begins([0x37, 0x7A, 0xBC, 0xAF]) || begins([0x1F, 0x8B]) {
      self = .otherArchive
    } else {
      self = Self.textKind(head)
    }
  }

  private static func textKind(_ head: [UInt8]) -> FileKind {
    let isUTF16 = head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF])
    if isUTF16 { return .text }
    guard !head.contains(where: { $0 < 0x09 || (0x0E..<0x20).contains($0) && $0 != 0x1B }) else { return .unknown }
    let start = String(decoding: head, as: UTF8.self).lowercased()
    let tags = ["<html", "<!doctype html", "<table", "<meta", "<head", "<body"]
    if tags.contains(where: start.contains) { return .html }
    return start.drop { $0.isWhitespace || $0 == "\u{FEFF}" }.hasPrefix("<?xml") ? .xml : .text
  }

  /// Nil for a zip, which has to be looked into.
  func refusal(_ name: String) -> Refusal? {
    let name = shown(name)
    let again = (
      "请用 Excel 或 WPS 打开后另存为“Excel 工作簿（.xlsx）”。", "Open it with Excel or WPS and save it as “Excel Workbook (.xlsx)”."
    )
    func isReally(_ chinese: String, _ english: String) -> Refusal {
      .workbook(
        "kind", "文件“\(name)”实际上是\(spaced(chinese))，不是 .xlsx。\(again.0)",
        "The file “\(name)” really is \(english), not .xlsx. \(again.1)")
    }
    switch self {
    case .zip: return nil
    case .empty:
      return .workbook("kind", "文件“\(name)”是空的（0 字节）。请重新上传。", "The file “\(name)” is empty (0 bytes). Send it again.")
    case .encryptedWorkbook:
      return .workbook(
        "password", "文件“\(name)”设有打开密码。请在 Excel 或 WPS 中去掉密码后重新保存。",
        "The file “\(name)” is protected by a password. Remove it in Excel or WPS and save again.")
    case .oldWorkbook:
      return isReally("旧格式的工作簿（.xls，Excel 97-2003）", "a workbook of the old format (.xls, Excel 97–2003)")
    case .otherCompound: return isReally("旧格式的 Office 文件", "an Office file of the old format")
    case .pdf: return isReally("PDF 文件", "a PDF file")
    case .html: return isReally("网页（HTML）", "a web page (HTML)")
    case .xml: return isReally("XML 文件", "an XML file")
    case .rtf: return isReally("RTF 文件", "an RTF file")
    case .image: return isReally("图片", "a picture")
    case .otherArchive: return isReally("压缩包（RAR、7z 或 gzip）", "an archive (RAR, 7z or gzip)")
    case .text: return isReally("文本文件（例如 CSV）", "a text file (CSV perhaps)")
    case .unknown: return isReally("无法识别的文件", "of a kind we do not know")
    }
  }
}

/// Set off by a blank from Chinese before it when it begins with Latin letters.
func spaced(_ text: String) -> String { text.utf8.first.map { $0 < 0x80 } == true ? " " + text : text }
