internal import Foundation
internal import Kernel
internal import Spreadsheets

/// Where something stands in an export.
struct ExportPlace: Hashable, Sendable {
  var file: String
  var line: Int
}

/// One row of a table of the export.
struct ExportRow {
  var place: ExportPlace
  fileprivate var values: [String]
  fileprivate var columns: [String: [Int]]

  /// The value of one of our fields, without blanks around it; empty where the table has no such column.
  subscript(field: String) -> String {
    guard let places = columns[field] else { return "" }
    if places.count == 1 { return value(places[0]) }
    let all = places.map(value)
    return all.allSatisfy(\.isEmpty) ? "" : all.joined(separator: "+")
  }

  fileprivate func value(_ index: Int) -> String {
    guard index < values.count else { return "" }
    let text = values[index].trimmingCharacters(in: .whitespacesAndNewlines)
    // Exports of databases write an absent value so.
    return text == "NULL" || text == "\\N" ? "" : text
  }
}

/// An export: a folder of CSV files (UTF-8 or GB18030) and workbooks, one workbook, or a zip of them. A table is the file, or the
/// sheet, of its name. Files are read one after the other, within the bounds of `Spreadsheets`.
struct ExportFolder: Sendable {
  static let mostBytes = 512 << 20
  static let mostRows = 3_000_000
  private static let mostFiles = 500

  /// By table, in small letters.
  private var places: [String: Place] = [:]

  private struct Place: Sendable {
    var path: String
    var file: String
    /// Nil for CSV.
    var sheet: String?
  }

  init(_ path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Self.wrong(path, "找不到", "is not there")
    }
    let files =
      isFolder.boolValue
      ? try FileManager.default.contentsOfDirectory(atPath: path).sorted().map { "\(path)/\($0)" } : [path]
    guard files.count <= Self.mostFiles else {
      throw Self.wrong(path, "超过 \(Self.mostFiles) 个文件", "holds more than \(Self.mostFiles) files")
    }
    for file in files {
      let name = (file as NSString).lastPathComponent
      let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
      switch (name as NSString).pathExtension.lowercased() {
      case "csv":
        guard size <= Self.mostBytes else {
          throw Self.wrong(name, "超过 \(Self.mostBytes >> 20) MiB", "is larger than \(Self.mostBytes >> 20) MiB")
        }
        try add((name as NSString).deletingPathExtension, Place(path: file, file: name, sheet: nil))
      case "xlsx":
        let sheets = try WorkbookReader(path: file).sheets
        for sheet in sheets {
          // A workbook of one sheet is named like a CSV file, whatever its sheet is called.
          let table = sheets.count == 1 ? (name as NSString).deletingPathExtension : sheet.name
          try add(
            table, Place(path: file, file: sheets.count == 1 ? name : "\(name) / \(sheet.name)", sheet: sheet.name))
        }
      default: continue
      }
    }
  }

  private mutating func add(_ table: String, _ place: Place) throws {
    guard places.updateValue(place, forKey: table.lowercased()) == nil else {
      throw Self.wrong(place.file, "与另一个文件同为表 \(table)", "is the second file of the table \(table)")
    }
  }

  var tables: Set<String> { Set(places.keys) }
  func file(of table: String) -> String? { places[table.lowercased()]?.file }

  /// Hands every row of a table to `body`; rows whose number of fields is wrong, columns that nothing is read from and
  /// columns that are missing go to `found`. Nil when there is no such table; else the columns of the `needed` fields that
  /// it lacks, and then no row was handed over.
  func read(
    _ table: String, _ columns: [String: String], needed: Set<String> = [], deletedWhen: [String: String] = [:],
    found: (MoveFinding) -> Void, _ body: (ExportRow) throws -> Void
  ) throws -> [String]? {
    guard let place = places[table.lowercased()] else { return nil }
    var head: Head?
    var idle: [Int: Int] = [:]
    var (rows, deleted) = (0, 0)
    func take(_ line: Int, _ values: [String]) throws {
      guard let known = head else {
        head = Head(values, columns, needed, deletedWhen)
        return
      }
      guard known.lacking.isEmpty else { return }
      rows += 1
      guard rows <= Self.mostRows else {
        throw Self.wrong(place.file, "超过 \(Self.mostRows) 行", "has more than \(Self.mostRows) rows")
      }
      let at = ExportPlace(file: place.file, line: line)
      guard place.sheet != nil || values.count == known.width else {
        found(
          MoveFinding(
            at, "", values.first ?? "", "row.columns",
            Text(
              "这一行有 \(values.count) 列，表头有 \(known.width) 列。",
              "The row has \(values.count) columns, the header \(known.width)."),
            .leftOut))
        return
      }
      let row = ExportRow(place: at, values: values, columns: known.columns)
      if known.deleted.contains(where: { row.value($0.key) == $0.value }) {
        deleted += 1
        return
      }
      for index in known.idle where !row.value(index).isEmpty { idle[index, default: 0] += 1 }
      try body(row)
    }
    if let sheet = place.sheet {
      try WorkbookReader(path: place.path).readRows(of: sheet) { row in
        let width = (row.cells.last?.column ?? -1) + 1
        try take(row.number, row.values(width).map(\.shown))
        return .next
      }
    } else {
      let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: place.path), options: .mappedIfSafe))
      do { try CSV.forEach(try Self.inUTF8(bytes, place.file)) { try take($0, $1) } } catch let fault as CSV.Fault {
        throw Refusal.invalid(
          "catalog.move.file", "folder",
          Text("文件 \(place.file) \(fault.message.chinese)", "File \(place.file): \(fault.message.english)"))
      }
    }
    guard let head else { throw Self.wrong(place.file, "没有表头", "has no header") }
    if head.lacking.isEmpty { report(head, place, idle, deleted, found) }
    return head.lacking
  }

  private func report(
    _ head: Head, _ place: Place, _ idle: [Int: Int], _ deleted: Int, _ found: (MoveFinding) -> Void
  ) {
    let whole = ExportPlace(file: place.file, line: 0)
    for name in head.missing {
      found(
        MoveFinding(
          whole, name, "", "column.missing", Text("文件里没有这一列。", "The file has no such column."), .leftOut))
    }
    for (index, count) in idle.sorted(by: { $0.key < $1.key }) {
      found(
        MoveFinding(
          whole, head.titles[index], "", "column.unknown",
          Text("\(count) 行有值，本平台没有对应的元素。", "\(count) rows have a value; there is no such element here."), .leftOut))
    }
    if deleted > 0 {
      found(
        MoveFinding(
          whole, "", "", "row.deleted",
          Text("\(deleted) 行在原系统已删除。", "\(deleted) rows were deleted in the other system."), .leftOut))
    }
  }

  private struct Head {
    var titles: [String]
    var columns: [String: [Int]] = [:]
    var missing: [String] = []
    /// Of the missing ones, those without which nothing can be read.
    var lacking: [String] = []
    /// Columns that nothing is read from.
    var idle: [Int] = []
    var deleted: [Int: String] = [:]
    var width: Int { titles.count }

    init(
      _ titles: [String], _ wanted: [String: String], _ needed: Set<String>, _ deletedWhen: [String: String]
    ) {
      self.titles = titles
      var byName: [String: Int] = [:]
      for (index, title) in titles.enumerated() {
        let name = title.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
        if byName[name] == nil { byName[name] = index }
      }
      var used: Set<Int> = []
      for (field, theirs) in wanted.sorted(by: { $0.key < $1.key }) {
        let names = theirs.split(separator: "+").map(String.init)
        let places = names.compactMap { byName[$0.lowercased()] }
        let absent = names.filter { byName[$0.lowercased()] == nil }
        missing += absent
        if needed.contains(field) { lacking += absent }
        guard !places.isEmpty else { continue }
        columns[field] = places
        used.formUnion(places)
      }
      for (name, value) in deletedWhen {
        guard let place = byName[name.lowercased()] else {
          missing.append(name)
          continue
        }
        deleted[place] = value
        used.insert(place)
      }
      idle = titles.indices.filter { !used.contains($0) }
    }
  }

  /// As it is, or from GB18030, in which Excel and many databases in China export.
  private static func inUTF8(_ bytes: [UInt8], _ file: String) throws -> [UInt8] {
    if String(validating: bytes, as: UTF8.self) != nil { return bytes }
    do { return Array(try TextFile(bytes).text.utf8) } catch {
      throw Refusal.invalid(
        "catalog.move.file", "folder",
        Text("\(file)：\(error.message.chinese)", "\(file): \(error.message.english)"))
    }
  }

  private static func wrong(_ file: String, _ chinese: String, _ english: String) -> Refusal {
    Refusal.invalid("catalog.move.file", "folder", Text("\(file) \(chinese)。", "\(file) \(english)."))
  }
}
