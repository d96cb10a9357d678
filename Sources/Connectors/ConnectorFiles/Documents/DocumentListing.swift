import Connecting
import NationalCrypto

/// The list as text: for each path a line, and a line for each part behind it. Paths hold no tabs and no line ends.
enum DocumentListing {
  static func append(_ path: [UInt8], _ entry: DocumentIndex.Entry?, to text: inout [UInt8]) {
    guard let entry else {
      text += "gone\t".utf8 + path + [0x0A]
      return
    }
    let file = entry.file.map { "\($0.size)\t\($0.modified)" } ?? "-\t-"
    text += "file\t\(file)\t".utf8 + path + [0x0A]
    for row in entry.rows {
      let place: String
      switch row.place {
      case .file: place = "-\t0"
      case .parts(let name, let offset): place = "\(name)\t\(offset)"
      case .gathered: preconditionFailure("what is gathered is not listed")
      }
      let digest = row.digest.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
      text +=
        "\t\(row.part)\t\(row.version.size)\t\(row.version.modified)\t\(row.batch)\t\(row.stale)\t\(digest)\t\(place)\n"
        .utf8
    }
  }

  /// False when the text is not of this form.
  static func read(_ text: UnsafeRawBufferPointer, into index: inout DocumentIndex) -> Bool {
    var path: [UInt8]?
    var entry = DocumentIndex.Entry()
    func number(_ field: Slice<UnsafeRawBufferPointer>) -> Int64? { Int64(String(decoding: field, as: UTF8.self)) }
    for line in text.split(separator: 0x0A) {
      let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
      guard fields[0].isEmpty else {
        if let path { index.load(path, entry) }
        entry = DocumentIndex.Entry()
        switch String(decoding: fields[0], as: UTF8.self) {
        case "gone" where fields.count == 2:
          index.load(Array(fields[1]), nil)
          path = nil
        case "file" where fields.count == 4:
          path = Array(fields[3])
          if let size = number(fields[1]), let modified = number(fields[2]) {
            entry.file = DocumentVersion(size: Int(size), modified: modified)
          }
        default: return false
        }
        continue
      }
      guard path != nil, fields.count == 9, let part = number(fields[1]), let size = number(fields[2]),
        let modified = number(fields[3]), let batch = number(fields[4]), let stale = number(fields[5]),
        let digest = digest(fields[6]), let offset = number(fields[8])
      else { return false }
      let name = String(decoding: fields[7], as: UTF8.self)
      entry.rows.append(
        DocumentIndex.Row(
          part: Int(part), version: DocumentVersion(size: Int(size), modified: modified), batch: batch, stale: stale,
          digest: digest, place: name == "-" ? .file : .parts(name, offset: Int(offset))))
    }
    if let path { index.load(path, entry) }
    return true
  }

  private static func digest(_ field: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    guard field.count == 32 else { return nil }
    var bytes: [UInt8] = []
    var at = field.startIndex
    while at < field.endIndex {
      guard let byte = UInt8(String(decoding: field[at..<at + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
      at += 2
    }
    return bytes
  }
}

extension DocumentIndex {
  /// Adds what one list says. Throws where it is not, byte by byte, what the manifest says.
  mutating func load(
    _ listing: DocumentSet.Listing, from folder: any TargetFolder
  ) throws(ConnectorError) {
    guard let file = try folder.open(listing.name), file.size == listing.bytes else { throw Self.damaged(listing) }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, file.size), alignment: 16)
    defer { bytes.deallocate() }
    var at = 0
    while at < file.size, let base = bytes.baseAddress {
      let got = try file.read(into: base + at, file.size - at, at: at)
      guard got > 0 else { throw Self.damaged(listing) }
      at += got
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[..<file.size])
    var hash = SM3()
    hash.update(text)
    guard hash.finish().hex == listing.digest, DocumentListing.read(text, into: &self) else {
      throw Self.damaged(listing)
    }
  }

  private static func damaged(_ listing: DocumentSet.Listing) -> ConnectorError {
    .contract(
      "manifest",
      "接收文件夹中的清单“\(DocumentNames.hidden)/\(listing.name)”缺失或已损坏；请清空该文件夹（连同 \(DocumentNames.hidden)）后重新全量交付。",
      "The list “\(DocumentNames.hidden)/\(listing.name)” of the receiving folder is gone or damaged: empty the folder, \(DocumentNames.hidden) too, and deliver in full again."
    )
  }
}
