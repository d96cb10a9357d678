import Glibc

/// Text files as clerks' machines save them: UTF-8, or GB 18030 from an older Windows.
package enum PlainTextFile {
  /// Whether every byte of the file reads as text.
  static func isText(_ path: String) -> Bool {
    guard let bytes = try? BoundedFile.read(path, most: .max) else { return false }
    return decoded(bytes) != nil
  }

  /// The text; nil for what is no text: other control characters than tabs and line ends, or bytes in neither encoding.
  package static func decoded(_ bytes: [UInt8]) -> String? {
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0C, 0x0D].contains($0) }
    guard !bytes.isEmpty, isPlain else { return nil }
    if let text = String(validating: bytes, as: UTF8.self) {
      return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
    }
    return fromGB18030(bytes)
  }

  private static func fromGB18030(_ bytes: [UInt8]) -> String? {
    guard let converter = iconv_open("UTF-8", "GB18030"), Int(bitPattern: converter) != -1 else { return nil }
    defer { iconv_close(converter) }
    var source = bytes.map { CChar(bitPattern: $0) }
    // No character of GB 18030 grows to more than three bytes for each of its own.
    var target = [CChar](repeating: 0, count: bytes.count * 3 + 4)
    var (left, room) = (source.count, target.count)
    let failed = source.withUnsafeMutableBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        var (from, to) = (source.baseAddress, target.baseAddress)
        return iconv(converter, &from, &left, &to, &room) == -1
      }
    }
    guard !failed, left == 0 else { return nil }
    return String(validating: target.prefix(target.count - room).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// The beginning of a file, or all of it.
enum BoundedFile {
  static func read(_ path: String, most: Int) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw AttachmentFolder.trouble(errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: min(most, 256 << 10))
    while bytes.count < most {
      let count = Glibc.read(descriptor, &piece, min(piece.count, most - bytes.count))
      guard count >= 0 else { throw AttachmentFolder.trouble(errno) }
      if count == 0 { break }
      bytes += piece[..<count]
    }
    return bytes
  }
}
