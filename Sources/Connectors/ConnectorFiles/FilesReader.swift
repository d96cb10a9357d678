import Connecting
import Remote

/// Reads a table of one or many files, one after the other; rows without a key come last, from all of them.
final class FilesReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  private(set) var position: [UInt8] = []

  private let plan: ReadPlan
  private let table: SurveyedTable
  /// Of what is asked elsewhere once the reader is open.
  private let cancellation = RemoteCancellation()
  /// The file being read, and where in it to begin.
  private var part: Int
  private var after: [UInt8]?
  private var reader: (any RowReader)?
  /// Files that have rows without a key, or may have.
  private var lacking: [Int]
  private var isSecondPass = false
  private var isOver = false

  init(_ plan: ReadPlan, _ home: FilesHome, _ options: FilesOptions) throws(ConnectorError) {
    guard plan.cursor == nil, case .full(let after) = plan.range else {
      throw .contract("no-increment", "文件只能全量读取。", "Files can only be read in full.")
    }
    self.plan = plan
    guard let after else {
      table = try SurveyedTable(plan, in: home, options, from: nil)
      (part, self.after, lacking) = (0, nil, [])
      return
    }
    guard let place = FilesPosition(after) else {
      throw .contract("position", "断点无法识别。", "The place to go on from cannot be read.")
    }
    table = try SurveyedTable(plan, in: home, options, from: (place.file, place.after))
    guard place.digest == table.digest, place.file < table.parts.count else {
      throw .changedSince(table.name, origin: "files")
    }
    position = after
    part = place.file
    self.after = place.after
    lacking = Array(0..<place.file)
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !isOver {
      guard let reader = try current() else {
        if !isSecondPass, !lacking.isEmpty {
          isSecondPass = true
          part = 0
          continue
        }
        try table.verify(cancellation)
        isOver = true
        break
      }
      switch try reader.read(into: batch) {
      case .rows:
        position = FilesPosition(digest: table.digest, file: part, after: reader.position).bytes
        return .rows
      case .rowsWithoutKey:
        if isSecondPass { return .rowsWithoutKey }
        lacking.append(part)
        batch.removeAll()
        next()
      case .end: next()
      }
    }
    return .end
  }

  var interrupter: @Sendable () -> Void {
    { [cancellation] in cancellation.cancel() }
  }

  func close() {
    reader?.close()
    reader = nil
    isOver = true
  }

  private func current() throws(ConnectorError) -> (any RowReader)? {
    if let reader { return reader }
    let index: Int
    if isSecondPass {
      guard part < lacking.count else { return nil }
      index = lacking[part]
    } else {
      guard part < table.parts.count else { return nil }
      index = part
    }
    let opened = try table.parts[index].content.reader(
      plan, try table.open(index), after: isSecondPass ? nil : after, withoutKeys: isSecondPass)
    after = nil
    reader = opened
    return opened
  }

  private func next() {
    reader?.close()
    reader = nil
    part += 1
  }
}

/// Where a read goes on: in which contents, in which file, and where in it.
struct FilesPosition: Hashable {
  private static let version: UInt8 = 2

  var digest: [UInt8]
  var file: Int
  var after: [UInt8]

  init(digest: [UInt8], file: Int, after: [UInt8]) {
    self.digest = digest
    self.file = file
    self.after = after
  }

  var bytes: [UInt8] {
    [Self.version] + digest + withUnsafeBytes(of: UInt32(file).bigEndian) { [UInt8]($0) } + after
  }

  init?(_ bytes: [UInt8]) {
    guard bytes.count > 21, bytes[0] == Self.version else { return nil }
    digest = Array(bytes[1..<17])
    file = bytes[17..<21].reduce(0) { $0 << 8 | Int($1) }
    after = Array(bytes[21...])
  }
}
