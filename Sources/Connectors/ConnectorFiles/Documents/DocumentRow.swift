import Connecting
import Kernel

/// A row of a batch as a part of a file. Valid until the batch is changed.
struct DocumentRow {
  var path: [UInt8]
  var part: Int
  var version: DocumentVersion
  var content: UnsafeRawBufferPointer

  var digest: [UInt8] {
    var digest = ContentDigest()
    digest.add(content)
    return digest.bytes
  }
}

/// Where a plan's rows have the columns of documents.
struct DocumentShape {
  private let places: [DocumentColumn: Int]
  let columns: [DocumentColumn]

  /// Throws unless the plan has just these columns, and their key.
  init(_ plan: WritePlan) throws(ConnectorError) {
    var places: [DocumentColumn: Int] = [:]
    var columns: [DocumentColumn] = []
    for (index, column) in plan.columns.enumerated() {
      guard let found = DocumentColumn(rawValue: column.name), found.type == column.type else { throw Self.other }
      places[found] = index
      columns.append(found)
    }
    guard places.count == DocumentColumn.allCases.count, plan.key.count == DocumentColumn.key.count,
      Set(plan.key.map { columns[$0] }) == Set(DocumentColumn.key)
    else { throw Self.other }
    self.places = places
    self.columns = columns
  }

  private static let other = ConnectorError.contract(
    "not-documents",
    "接收文件需要 path（文本）、part、size（整数）、modified（日期时间）、content（二进制）五列，不多不少、不改类型，主键为 path 和 part。",
    "Receiving files takes the five columns path (text), part, size (integer), modified (date and time), content (bytes), no other and as they are, and the key path and part."
  )

  /// The part that a row is. `batch` is only told to people.
  func row(_ row: UnsafeRawBufferPointer, batch: Int64) throws(ConnectorError) -> DocumentRow {
    let fields = Self.fields(row)
    guard fields.count == columns.count, let path = field(.path, fields), let part = integer(.part, fields),
      let size = integer(.size, fields), let modified = integer(.modified, fields),
      let content = field(.content, fields), size >= 0, part >= 0, size <= Int64(Int.max - DocumentParts.bytes),
      part < DocumentParts.count(of: Int(size)), content.count == DocumentParts.length(of: Int(part), in: Int(size))
    else {
      throw ConnectorError(
        .data, "documents.part",
        Text(
          "第 \(batch) 批中有一行不是文件的一段：五列都不能为空，part 从 0 起且小于段数，content 除最后一段外恰为 \(DocumentParts.bytes) 字节。",
          "A row of batch \(batch) is no part of a file: none of the five columns is NULL, part counts from 0 and below the number of parts, content has \(DocumentParts.bytes) bytes in all parts but the last."
        ))
    }
    guard DocumentPath.judge(path) == .good else { throw Self.outside(batch) }
    return DocumentRow(
      path: Array(path), part: Int(part), version: DocumentVersion(size: Int(size), modified: modified),
      content: content)
  }

  private static func outside(_ batch: Int64) -> ConnectorError {
    ConnectorError(
      .data, "documents.path",
      Text(
        "第 \(batch) 批中有一行的 path 不能作为文件夹内的文件：它含有 ..、以 / 开头、有空的或隐藏的一级、控制字符或反斜杠、以 .tmp 或 .part 结尾，或超过 \(DocumentPath.longest) 字节。未写出该文件。",
        "The path of a row of batch \(batch) is no file within the folder: it holds .., begins with /, has an empty or hidden step, control characters or a backslash, ends with .tmp or .part, or has more than \(DocumentPath.longest) bytes. Nothing of it was written."
      ))
  }

  /// A row of the key's fields alone, in the order of the plan's key; nil for what can be no file's.
  static func key(_ row: UnsafeRawBufferPointer, _ key: [DocumentColumn]) -> (path: [UInt8], part: Int)? {
    let fields = Self.fields(row)
    guard fields.count == key.count, let path = key.firstIndex(of: .path).flatMap({ fields[$0] }),
      let part = key.firstIndex(of: .part).flatMap({ fields[$0] }), part.count == 8
    else { return nil }
    return (Array(path), Int(Int64(bigEndian: part.loadUnaligned(as: Int64.self))))
  }

  private func field(
    _ column: DocumentColumn, _ fields: [UnsafeRawBufferPointer?]
  ) -> UnsafeRawBufferPointer? { places[column].flatMap { fields[$0] } }

  private func integer(_ column: DocumentColumn, _ fields: [UnsafeRawBufferPointer?]) -> Int64? {
    guard let bytes = field(column, fields), bytes.count == 8 else { return nil }
    return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
  }

  /// Nil for what is NULL or malformed.
  private static func fields(_ row: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer?] {
    var fields: [UnsafeRawBufferPointer?] = []
    var at = 2
    while at + 4 <= row.count {
      let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
      at += 4
      guard header >= 0 else {
        fields.append(nil)
        if header != -1 { at += Int(UInt32(bitPattern: header) & 0xFF_FFFF) }
        continue
      }
      fields.append(UnsafeRawBufferPointer(rebasing: row[at..<at + Int(header)]))
      at += Int(header)
    }
    return fields
  }
}
