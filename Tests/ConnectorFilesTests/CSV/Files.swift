import Connecting
import ConnectorFiles
import Foundation
import Kernel

/// A folder of files that is gone with its last reference.
final class TemporaryFolder {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("sj-csv-\(UUID().uuidString)").path
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// In place: the same inode.
  func write(_ name: String, _ bytes: [UInt8]) {
    let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    precondition(descriptor >= 0)
    var at = 0
    while at < bytes.count { at += bytes[at...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) } }
    close(descriptor)
  }

  func write(_ name: String, _ text: String, _ form: Form = .utf8) { write(name, form.bytes(of: text)) }

  func connector(_ options: CSVOptions = CSVOptions()) -> CSVConnector { CSVConnector(folder: path, options: options) }
}

/// The forms a file may have.
enum Form: String, CaseIterable, Sendable {
  case utf8, utf8Marked, gb18030, gb18030Marked, utf16LittleEndian, utf16BigEndian

  func bytes(of text: String) -> [UInt8] {
    switch self {
    case .utf8: Array(text.utf8)
    case .utf8Marked: [0xEF, 0xBB, 0xBF] + Array(text.utf8)
    case .gb18030: gb18030Bytes(text)
    case .gb18030Marked: [0x84, 0x31, 0x95, 0x33] + gb18030Bytes(text)
    case .utf16LittleEndian: [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    case .utf16BigEndian: [0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }
  }

  var encoding: CSVEncoding {
    switch self {
    case .utf8, .utf8Marked: .utf8
    case .gb18030, .gb18030Marked: .gb18030
    case .utf16LittleEndian: .utf16LittleEndian
    case .utf16BigEndian: .utf16BigEndian
    }
  }
}

func gb18030Bytes(_ text: String) -> [UInt8] {
  let handle = iconv_open("GB18030", "UTF-8")
  defer { iconv_close(handle) }
  var source = Array(text.utf8).map { CChar(bitPattern: $0) }
  var target = [CChar](repeating: 0, count: source.count * 4 + 16)
  let written = source.withUnsafeMutableBufferPointer { source in
    target.withUnsafeMutableBufferPointer { target in
      var input: UnsafeMutablePointer<CChar>? = source.baseAddress
      var output: UnsafeMutablePointer<CChar>? = target.baseAddress
      var (inputLeft, outputLeft) = (source.count, target.count)
      precondition(iconv(handle, &input, &inputLeft, &output, &outputLeft) != -1)
      return target.count - outputLeft
    }
  }
  return target[..<written].map { UInt8(bitPattern: $0) }
}

/// A plan of all these columns as text, told apart by the first.
func textPlan(_ name: String, _ columns: [String], after: [UInt8]? = nil) -> ReadPlan {
  ReadPlan(table: TableName(name), columns: columns.map { .init($0, .text) }, key: [0], range: .full(after: after))
}

/// Everything a plan gives: rows with a key, then those without.
func readAll(
  _ connector: any Connector, _ plan: ReadPlan, capacity: Int = 1 << 20
) throws -> (keyed: [[RowField]], keyless: [[RowField]], positions: [[UInt8]]) {
  let reader = try connector.openReader(plan)
  defer { reader.close() }
  let batch = RowBatch(capacity: capacity)
  var result: (keyed: [[RowField]], keyless: [[RowField]], positions: [[UInt8]]) = ([], [], [])
  while true {
    switch try reader.read(into: batch) {
    case .rows:
      result.keyed += (0..<batch.rowCount).map { batch.fields($0) }
      result.positions.append(reader.position)
    case .rowsWithoutKey: result.keyless += (0..<batch.rowCount).map { batch.fields($0) }
    case .end: return result
    }
  }
}

func field(_ text: String) -> RowField { .value(Array(text.utf8)) }

func error(_ body: () throws -> Void) -> ConnectorError? {
  do {
    try body()
    return nil
  } catch { return error as? ConnectorError }
}
