internal import Foundation
package import Kernel

/// A text file as people send it: in UTF-8, with or without its mark, or in GB18030, which Excel and WPS in China write when
/// nobody says otherwise. The whole of it is decoded before anything is believed.
package struct TextFile: Sendable {
  package enum Encoding: String, Sendable { case utf8 = "UTF-8", gb18030 = "GB18030" }

  package var text: String
  package var encoding: Encoding

  /// Reads at most `mostBytes`; blocks. Refused is what is larger, UTF-16, and what is text in neither of the two, with the
  /// byte at which each of them ends.
  package init(path: String, mostBytes: Int) throws(Refusal) {
    guard let handle = FileHandle(forReadingAtPath: path),
      let data = try? handle.read(upToCount: mostBytes + 1) ?? Data()
    else { throw Refusal(.notFound, "text.file", Text("无法读取文件。", "The file cannot be read.")) }
    guard data.count <= mostBytes else {
      throw .tooLarge(
        "text.size", "文件超过 \(sizeText(mostBytes))，请分成几个文件。",
        "The file is larger than \(sizeText(mostBytes)); divide it.")
    }
    try self.init(Array(data))
  }

  package init(_ bytes: [UInt8]) throws(Refusal) {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw .workbook(
        "text.utf-16", "文件是 UTF-16 编码（第 0 字节起是其标记）。请另存为“CSV UTF-8”。",
        "The file is UTF-16 (its mark stands at byte 0). Save it as CSV UTF-8.")
    }
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    if let text = String(validating: body, as: UTF8.self) {
      (self.text, encoding) = (text, .utf8)
      return
    }
    let broken = Self.firstWrongUTF8(in: bytes)
    if let wrong = Self.firstWrongGB18030(in: bytes) {
      throw .workbook(
        "text.encoding",
        "文件既不是 UTF-8（第 \(broken) 字节 0x\(hex(bytes[broken])) 处不合规则），也不是 GB18030（第 \(wrong) 字节 0x\(hex(bytes[wrong]))）。请另存为“CSV UTF-8”。",
        "The file is neither UTF-8 (wrong at byte \(broken), 0x\(hex(bytes[broken]))) nor GB18030 (at byte \(wrong), 0x\(hex(bytes[wrong]))). Save it as CSV UTF-8."
      )
    }
    // kCFStringEncodingGB_18030_2000, with NSString's mark of a CoreFoundation encoding.
    guard let text = String(data: Data(bytes), encoding: String.Encoding(rawValue: 0x8000_0632)) else {
      throw .workbook(
        "text.encoding", "文件不是 UTF-8（第 \(broken) 字节处不合规则），其中又有 GB18030 没有的字。请另存为“CSV UTF-8”。",
        "The file is not UTF-8 (wrong at byte \(broken)), and holds codes that GB18030 does not have. Save it as CSV UTF-8."
      )
    }
    (self.text, encoding) = (text, .gb18030)
  }

  /// Where what UTF-8 allows ends.
  private static func firstWrongUTF8(in bytes: [UInt8]) -> Int {
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var end = 0
    while case .valid(let scalar) = parser.parseScalar(from: &rest) { end += scalar.count }
    return min(end, bytes.count - 1)
  }

  /// Where bytes stand that GB18030 cannot have by its rule of one, two and four bytes; nil when all of them fit.
  private static func firstWrongGB18030(in bytes: [UInt8]) -> Int? {
    var at = 0
    while at < bytes.count {
      let first = bytes[at]
      if first < 0x80 {
        at += 1
        continue
      }
      guard (0x81...0xFE).contains(first), at + 1 < bytes.count else { return at }
      switch bytes[at + 1] {
      case 0x40...0x7E, 0x80...0xFE: at += 2
      case 0x30...0x39:
        guard at + 3 < bytes.count, (0x81...0xFE).contains(bytes[at + 2]), (0x30...0x39).contains(bytes[at + 3]) else {
          return at
        }
        at += 4
      default: return at
      }
    }
    return nil
  }
}

private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }
