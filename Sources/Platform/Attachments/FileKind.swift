import CArchive
import Glibc
package import Kernel

/// Kinds of files that are taken, told by what is in them and never by their names.
package enum FileKind: String, Sendable, CaseIterable {
  case pdf
  /// GB/T 33190 (OFD): the national fixed-layout format.
  case ofd
  case docx, xlsx, png, jpg
  /// Plain text in UTF-8 or GB 18030.
  case txt

  package var title: Text {
    switch self {
    case .pdf: Text("PDF 文档", "PDF document")
    case .ofd: Text("OFD 版式文档", "OFD document")
    case .docx: Text("Word 文档（.docx）", "Word document (.docx)")
    case .xlsx: Text("Excel 工作簿（.xlsx）", "Excel workbook (.xlsx)")
    case .png: Text("PNG 图片", "PNG image")
    case .jpg: Text("JPEG 图片", "JPEG image")
    case .txt: Text("文本", "plain text")
    }
  }

  package var mediaType: String {
    switch self {
    case .pdf: "application/pdf"
    case .ofd: "application/ofd"
    case .docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    case .xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    case .png: "image/png"
    case .jpg: "image/jpeg"
    case .txt: "text/plain; charset=utf-8"
    }
  }

  package var isImage: Bool { self == .png || self == .jpg }

  /// Extensions that a file of this kind may bear.
  var extensions: Set<String> { self == .jpg ? ["jpg", "jpeg"] : [rawValue] }

  /// `.pdf .ofd …`, for forms.
  package static var offered: String { allCases.map { "." + $0.rawValue }.joined(separator: " ") }
}

extension FileKind {
  /// Looks into a file; refuses what is none of the kinds, what carries macros, and what its name says it is not.
  static func of(fileAt path: String, named name: String) throws(Refusal) -> FileKind {
    guard let kind = try look(path) else {
      throw .invalid(
        "attachments.kind", "file",
        Text(
          "文件内容不是可接受的类型（与文件名无关）。可接受：\(offered)。",
          "What is in the file is none of the kinds taken, whatever its name says. Taken: \(offered)."))
    }
    guard let named = Attachment.fileExtension(of: name), kind.extensions.contains(named) else {
      throw .invalid(
        "attachments.name", "file",
        Text(
          "文件内容是\(kind.title.chinese)，文件名却不以 .\(kind.rawValue) 结尾。请核对是否选错文件。",
          "The file really is a \(kind.title.english), but its name does not end in .\(kind.rawValue). Is it the right one?"
        ))
    }
    return kind
  }

  private static func look(_ path: String) throws(Refusal) -> FileKind? {
    guard let head = try? BoundedFile.read(path, most: 1024) else {
      throw Refusal(.unavailable, "attachments.read", Text("文件无法读取，请重试。", "The file cannot be read; try again."))
    }
    func begins(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
    if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    if begins([0xFF, 0xD8, 0xFF]) { return .jpg }
    if begins(Array("%PDF-".utf8)) { return .pdf }
    if begins([0x50, 0x4B, 0x03, 0x04]) { return try package(path) }
    return PlainTextFile.isText(path) ? .txt : nil
  }

  /// Which package format a zip is, by the parts that each must have.
  private static func package(_ path: String) throws(Refusal) -> FileKind? {
    let names = ZipNames.list(path)
    if names.contains(where: { $0.lowercased().hasSuffix("vbaproject.bin") }) {
      throw .invalid(
        "attachments.macros", "file",
        Text("文件含有宏，请另存为不含宏的文档。", "The file carries macros; save it as a document without them."))
    }
    if names.contains("OFD.xml") { return .ofd }
    if names.contains("word/document.xml") { return .docx }
    if names.contains("xl/workbook.xml") { return .xlsx }
    return nil
  }
}

/// What a zip lists, through libarchive; nothing is unpacked.
enum ZipNames {
  /// A document of ten thousand parts is none that a clerk made.
  private static let most = 10_000

  static func list(_ path: String) -> Set<String> {
    guard let archive = archive_read_new() else { return [] }
    defer { archive_read_free(archive) }
    guard archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK,
      archive_read_open_filename(archive, path, 64 << 10) == ARCHIVE_OK
    else { return [] }
    var names: Set<String> = []
    var entry: OpaquePointer?
    while names.count < most, archive_read_next_header(archive, &entry) >= ARCHIVE_WARN, let found = entry {
      if let name = archive_entry_pathname_utf8(found) ?? archive_entry_pathname(found) {
        names.insert(String(cString: name))
      }
    }
    return names
  }
}
