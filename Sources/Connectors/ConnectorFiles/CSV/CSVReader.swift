import Connecting
import Kernel

/// Reads a plan's columns row by row, in the file's order.
///
/// The file is surveyed whole before the first row, so that a torn file delivers nothing, and again compared by digest
/// when its last row is read. Rows without a key come in a second pass, as `RowReader` promises.
final class CSVReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  /// The survey and each piece read check it.
  let checksText = true
  private(set) var position: [UInt8] = []

  private let plan: ReadPlan
  private let file: SourceFile
  private let structure: CSVStructure
  private let text: FieldText
  private let convert: CanonicalText
  private let nullText: [UInt8]
  /// Where the plan's columns stand in the file.
  private let places: [Int]
  /// What the pass under way must come to.
  private var expected: [UInt8]
  private var rows: CSVRows?
  private var isKeyed: Bool
  private var rowNumber: Int
  private var mayLackKeys: Bool

  convenience init(_ plan: ReadPlan, _ folder: String, _ options: CSVOptions) throws(ConnectorError) {
    guard plan.table.schema == nil else { throw .file("csv", plan.table.description, "不存在", "does not exist") }
    guard plan.cursor == nil, case .full(let after) = plan.range else {
      throw .contract("no-increment", "CSV 文件只能全量读取。", "A CSV file can only be read in full.")
    }
    let file = try SourceFile(folder: folder, name: plan.table.name)
    let place = try Self.place(after)
    let structure: CSVStructure
    do {
      structure = try CSVStructure(file, declared: options.encoding, tailFrom: place?.offset ?? 0)
    } catch { throw error.naming(file.name) }
    try self.init(plan, file, structure, options, from: place)
  }

  static func place(_ after: [UInt8]?) throws(ConnectorError) -> Place? {
    guard let after else { return nil }
    guard let place = Place(after) else {
      throw .contract("position", "断点无法识别。", "The place to go on from cannot be read.")
    }
    return place
  }

  /// `structure` is the file's, surveyed with that place's offset. `withoutKeys`: only the second pass.
  init(
    _ plan: ReadPlan, _ file: SourceFile, _ structure: CSVStructure, _ options: CSVOptions, from place: Place?,
    withoutKeys: Bool = false
  ) throws(ConnectorError) {
    self.plan = plan
    self.file = file
    self.structure = structure
    isKeyed = !withoutKeys
    nullText = Array(options.nullText.utf8)
    convert = CanonicalText(zone: options.zone, trustsText: true)
    places = try Self.places(of: plan, in: structure, file)
    text = try FieldText(structure.encoding)
    if let place {
      guard place.digest == structure.digest, place.encoding == structure.encoding, place.offset <= file.size else {
        throw .changedSince(file.name, origin: file.origin)
      }
      position = place.bytes
      rows = CSVRows(
        file, structure.encoding, separator: structure.separator, from: place.offset, line: place.line)
      rowNumber = place.row
      expected = structure.tailDigest
      // Rows without a key may lie before the place.
      mayLackKeys = true
    } else {
      rows = nil
      rowNumber = 0
      expected = structure.digest
      mayLackKeys = false
      rows = try fromTheFront()
    }
  }

  private static func places(
    of plan: ReadPlan, in structure: CSVStructure, _ file: SourceFile
  ) throws(ConnectorError) -> [Int] {
    var places: [Int] = []
    for column in plan.columns {
      guard let place = structure.columns.firstIndex(of: column.name) else {
        throw .contract(
          "column-missing", "文件“\(file.name)”没有“\(column.name)”列。",
          "The file “\(file.name)” has no column “\(column.name)”.")
      }
      places.append(place)
    }
    return places
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    try file.verify()
    while let rows {
      let isKeyed = isKeyed
      let more = try fill(batch, from: rows)
      if isKeyed, !batch.isEmpty {
        position =
          Place(
            digest: structure.digest, encoding: structure.encoding, offset: rows.nextOffset, row: rowNumber,
            line: rows.nextLine
          ).bytes
      }
      if !more { try finishPass(rows) }
      if !batch.isEmpty {
        try file.verify()
        return isKeyed ? .rows : .rowsWithoutKey
      }
    }
    return .end
  }

  func close() { rows = nil }

  /// True while there are more rows.
  private func fill(_ batch: RowBatch, from rows: CSVRows) throws(ConnectorError) -> Bool {
    let isSingle = structure.columns.count == 1
    while !batch.isFull {
      guard try rows.next() else { return false }
      if rows.isBlank, !isSingle { continue }
      guard rows.fields.count == structure.columns.count else { throw .changedWhileRead(file) }
      rowNumber += 1
      let lacksKey = try lacksKey(rows)
      if lacksKey { mayLackKeys = true }
      guard lacksKey != isKeyed else { continue }
      batch.beginRow(fields: places.count)
      for (index, place) in places.enumerated() {
        let type = plan.columns[index].type
        if let value = try value(rows.fields[place], as: type, rows) {
          convert.append(value, as: type, to: batch)
        } else {
          batch.appendNull()
        }
      }
      batch.endRow()
    }
    return true
  }

  private func finishPass(_ rows: CSVRows) throws(ConnectorError) {
    guard rows.digest.bytes == expected else { throw .changedWhileRead(file) }
    if isKeyed, mayLackKeys {
      isKeyed = false
      expected = structure.digest
      self.rows = try fromTheFront()
    } else {
      self.rows = nil
    }
  }

  /// The rows from the first one on, the header already passed.
  private func fromTheFront() throws(ConnectorError) -> CSVRows {
    let rows = CSVRows(file, structure.encoding, separator: structure.separator)
    guard try rows.next() else { throw .changedWhileRead(file) }
    return rows
  }

  private func lacksKey(_ rows: CSVRows) throws(ConnectorError) -> Bool {
    for index in plan.key where try value(rows.fields[places[index]], as: plan.columns[index].type, rows) == nil {
      return true
    }
    return false
  }

  /// Nil for NULL: a field empty without quotes, the source's own spelling of NULL, and blanks where no text is meant.
  private func value(
    _ field: CSVRows.Field, as type: ValueType, _ rows: CSVRows
  ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
    if field.count == 0, !field.isQuoted { return nil }
    let bytes = try text.bytes(of: field, in: rows)
    if !nullText.isEmpty, bytes.elementsEqual(nullText) { return nil }
    switch type {
    case .text, .bytes: return bytes
    default: return bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } ? nil : bytes
    }
  }
}

/// Where a read goes on: in which content, after which row.
struct Place: Hashable {
  private static let version: UInt8 = 1

  var digest: [UInt8]
  var encoding: CSVEncoding
  var offset: Int
  var row: Int
  var line: Int

  init(digest: [UInt8], encoding: CSVEncoding, offset: Int, row: Int, line: Int) {
    self.digest = digest
    self.encoding = encoding
    self.offset = offset
    self.row = row
    self.line = line
  }

  var bytes: [UInt8] {
    var bytes = [Self.version, encoding.rawValue] + digest
    for number in [offset, row, line] { withUnsafeBytes(of: Int64(number).bigEndian) { bytes += $0 } }
    return bytes
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count == 42, bytes[0] == Self.version, let encoding = CSVEncoding(rawValue: bytes[1]) else {
      return nil
    }
    func number(_ at: Int) -> Int { bytes[at..<at + 8].reduce(0) { $0 << 8 | Int($1) } }
    guard bytes[18] < 0x80, bytes[26] < 0x80, bytes[34] < 0x80 else { return nil }
    self.init(digest: Array(bytes[2..<18]), encoding: encoding, offset: number(18), row: number(26), line: number(34))
  }
}
