import Kernel

/// The zip around a workbook, or one of tables: which parts it has, and their bytes. Entries are looked at once when it is opened; each
/// part read is a pass of its own that leaps over the others.
final class Container {
  private let file: WorkbookFile
  private let limits: ReadingLimits
  private let kind: PackedKind
  /// By the name in small letters, since part names differ in more than case (ECMA-376 part 2, 6.2.2.3).
  private var places: [String: Int] = [:]
  /// Unpacked bytes of the parts read so far, each counted once.
  private var unpacked: [Int: Int] = [:]

  init(
    path: String, name: String? = nil, limits: ReadingLimits, asked kind: PackedKind = .workbook
  ) throws(Refusal) {
    self.limits = limits
    self.kind = kind
    file = try WorkbookFile(path, name: name, most: limits.fileBytes)
    if let refusal = kind.refusal(file) { throw refusal }
    let pass = try ZipPass(file, kind)
    var count = 0
    while let entry = try pass.next() {
      guard count < limits.entries else {
        throw .tooLarge(
          "entries", "\(kind.title.chinese)内部的文件超过 \(limits.entries) 个，这不像是正常的\(kind.title.chinese)。",
          "\(kind.title.capital) holds more than \(limits.entries) files inside, which no ordinary one does.")
      }
      try admit(entry, at: count)
      count += 1
    }
  }

  var fileName: String { file.name }

  /// Of every file inside, in small letters, in order.
  var names: [String] { places.keys.sorted() }

  private func admit(_ entry: ZipPass.Entry, at place: Int) throws(Refusal) {
    let name = entry.name
    guard Self.isPlain(name) else {
      throw kind.part(
        "entry-name", shown(name), "内部文件名带有路径技巧或非法字符。",
        "the name plays tricks with paths or holds characters that may not be there.")
    }
    guard !entry.isEncrypted else {
      throw .workbook(
        "password", "文件“\(shown(file.name))”的内容已加密（\(shown(name))）。请去掉密码后重新保存。",
        "The content of the file “\(shown(file.name))” is encrypted (\(shown(name))). Remove the password and save again."
      )
    }
    if let size = entry.size, size > limits.partBytes { throw partTooLarge(name) }
    if entry.isFolder || name.hasSuffix("/") { return }
    guard places.updateValue(place, forKey: Self.key(name)) == nil else {
      throw kind.part("entry-twice", shown(name), "内部有两个同名文件。", "two files of this name are inside.")
    }
  }

  /// A relative path without `.`, `..`, empty pieces, backslashes, drives or control characters.
  private static func isPlain(_ name: String) -> Bool {
    let bytes = name.utf8
    guard !bytes.isEmpty, bytes.count <= 1024, bytes.first != UInt8(ascii: "/"),
      !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: ":") })
    else { return false }
    let pieces = (name.hasSuffix("/") ? name.dropLast() : name[...]).split(
      separator: "/", omittingEmptySubsequences: false)
    return pieces.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }

  private static func key(_ name: String) -> String {
    String(decoding: name.utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
  }

  func has(_ name: String) -> Bool { places[Self.key(name)] != nil }

  /// What a zip is that holds no workbook: another format of documents, or just files.
  func otherKind() -> Text? {
    if has("xl/workbook.bin") { return Text("二进制工作簿（.xlsb）", "a binary workbook (.xlsb)") }
    if has("word/document.xml") { return Text("Word 文档（.docx）", "a Word document (.docx)") }
    if has("ppt/presentation.xml") { return Text("演示文稿（.pptx）", "a presentation (.pptx)") }
    if has("mimetype"), has("content.xml") {
      return Text("OpenDocument 文件（如 .ods）", "an OpenDocument file (such as .ods)")
    }
    return nil
  }

  /// Hands the part's bytes to `body` piece by piece until it answers false.
  func read(
    _ name: String, _ body: (UnsafeRawBufferPointer) throws(Refusal) -> Bool
  ) throws(Refusal) {
    guard let place = places[Self.key(name)] else {
      throw kind.part("part-missing", shown(name), "文件缺失。", "the part is missing.")
    }
    let pass = try ZipPass(file, kind)
    for _ in 0..<place {
      guard try pass.next() != nil else { throw ZipPass.torn(file, "changed") }
    }
    guard let entry = try pass.next(), Self.key(entry.name) == Self.key(name) else {
      throw ZipPass.torn(file, "changed")
    }
    let packedBefore = pass.packedBytes
    let others = unpacked.reduce(0) { $1.key == place ? $0 : $0 + $1.value }
    var total = 0
    while let piece = try pass.data(of: name) {
      total += piece.count
      guard total <= limits.partBytes else { throw partTooLarge(name) }
      guard others + total <= limits.totalBytes else {
        throw .tooLarge(
          "total-size", "\(kind.title.chinese)解压后超过 \(sizeText(limits.totalBytes))。请拆分。",
          "\(kind.title.capital) unpacks to more than \(sizeText(limits.totalBytes)). Split it.")
      }
      // The block with the header may hold data as well: all of a small part's.
      let packed = pass.packedBytes - packedBefore + ZipPass.blockSize
      guard total <= 4 << 20 || total / max(1, limits.ratio) <= packed else {
        throw .tooLarge(
          "ratio", "\(kind.title.chinese)内部的“\(shown(name))”解压后膨胀超过 \(limits.ratio) 倍，疑似压缩炸弹，已拒绝。",
          "The part “\(shown(name))” of \(kind.title.english) unpacks to more than \(limits.ratio) times its size, as a zip bomb does."
        )
      }
      unpacked[place] = max(unpacked[place] ?? 0, total)
      if try !body(piece) { return }
    }
  }

  private func partTooLarge(_ name: String) -> Refusal {
    .tooLarge(
      "part-size", "\(kind.title.chinese)内部的“\(shown(name))”解压后超过 \(sizeText(limits.partBytes))。请拆分。",
      "The part “\(shown(name))” of \(kind.title.english) unpacks to more than \(sizeText(limits.partBytes)). Split it."
    )
  }
}
