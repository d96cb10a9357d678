import Connecting
import Kernel
import Remote

/// A table whose files were all looked through whole: none of its rows leaves before.
final class SurveyedTable {
  struct Part {
    var content: any TablePart
    var identity: SourceFile.Identity
  }

  let name: String
  let files: FilesAtHand
  private(set) var parts: [Part] = []
  /// Of all files' names and contents.
  let digest: [UInt8]

  /// `place`: in which file a read goes on, and where.
  init(
    _ plan: ReadPlan, in home: FilesHome, _ options: FilesOptions, from place: (file: Int, after: [UInt8])?
  ) throws(ConnectorError) {
    let table = try FileTable.find(plan.table, in: home, options)
    name = table.name
    files = try FilesAtHand(table, in: home, options)
    let spool = options.format == .xlsx ? try RowSpool() : nil
    var digest = ContentDigest()
    var seen: Set<String> = []
    var rows = 0
    for index in files.names.indices {
      let file = try files.open(index)
      let after = place.flatMap { $0.file == index ? $0.after : nil }
      let content: any TablePart
      do {
        content =
          switch options.format {
          case .csv: try CSVPart(file, options.csv, after: after)
          case .jsonl: try LinesPart(file, plan, options)
          case .xlsx: try WorkbookPart(file, plan, options, into: spool!)
          }
      } catch { throw error.naming(file.name) }
      parts.append(Part(content: content, identity: file.identity))
      rows += content.rows
      seen.formUnion(content.columns)
      if options.format != .jsonl {
        try Self.check(content.columns, against: parts[0].content.columns, file.name, files.names[0])
      }
      Array(file.name.utf8).withUnsafeBytes { digest.add($0) }
      content.digest.withUnsafeBytes { digest.add($0) }
    }
    self.digest = digest.bytes
    // A name that no line has is a name that changed, not a value that is missing.
    if options.format == .jsonl, rows > 0, let missing = plan.columns.first(where: { !seen.contains($0.name) }) {
      throw .contract(
        "column-missing", "“\(name)”的任何一行都没有“\(missing.name)”字段。",
        "No line of “\(name)” has a field “\(missing.name)”.")
    }
    try files.verify()
  }

  private static func check(
    _ columns: [String], against first: [String], _ name: String, _ firstName: String
  ) throws(ConnectorError) {
    guard Set(columns) != Set(first) else { return }
    let odd = columns.first { !first.contains($0) } ?? first.first { !columns.contains($0) } ?? ""
    throw .contract(
      "files-differ", "文件“\(name)”与“\(firstName)”的列不同（“\(odd)”），不能合为一张表。",
      "The files “\(name)” and “\(firstName)” have different columns (“\(odd)”) and are not one table.")
  }

  /// The file of a part, if it is still the one that was surveyed.
  func open(_ index: Int) throws(ConnectorError) -> SourceFile {
    let file = try files.open(index)
    guard file.identity == parts[index].identity else { throw .changedWhileRead(file) }
    return file
  }

  /// Throws unless every file is still what it was when the first row left.
  func verify(_ cancellation: RemoteCancellation) throws(ConnectorError) {
    for index in parts.indices { _ = try open(index) }
    try files.verify(cancellation)
  }
}

extension ConnectorError {
  /// With the file's name in front, where it is the file's content that is wrong.
  func naming(_ file: String) -> ConnectorError { kind == .data ? within(file) : self }

  /// With the file's name in front.
  func within(_ file: String) -> ConnectorError {
    ConnectorError(
      kind, code, .init("文件“\(file)”：\(message.chinese)", "In the file “\(file)”: \(message.english)"))
  }
}
