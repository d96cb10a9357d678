internal import Foundation
internal import Inventory
package import Kernel
internal import Spreadsheets
internal import Storage
internal import Web

extension Cataloguing {
  /// What an export wrote.
  package struct Export: Sendable {
    package var files: [String] = []
    package var entries = 0
  }

  /// Writes every entry in force, of one office or of all, in files that an import takes: an import of one says “unchanged”.
  /// Beyond what an import takes at a time the next file begins: `x.csv`, `x-2.csv` … Each page is a read of its own, so
  /// that a long export stands in nobody's way; an entry is whole, and one published meanwhile may be in it or not.
  package func export(
    _ office: OrganisationID?, as kind: CatalogFile.Kind, to path: String, _ language: Language
  ) async throws -> Export {
    var export = Export()
    var after = ""
    var sheet: (any EntryFile)?
    var (resources, items) = (0, 0)
    let workbook = CatalogWorkbook(lists: lists, on: clock.today)
    while true {
      let last = after
      let page = try await db.read { tx in
        let scope: SQL = office.map { "r.provider = \($0)" } ?? "TRUE"
        let found = try CatalogStore.load(
          "r.published IS NOT NULL AND \(scope) AND r.id > \(last) AND v.version = r.published ORDER BY r.id LIMIT 200",
          in: tx)
        return try found.map { resource in
          (resource, try resource.system.flatMap { try InventoryStore.system($0, in: tx)?.number } ?? "")
        }
      }
      guard let end = page.last else { break }
      for (resource, system) in page {
        if sheet != nil,
          resources + 1 > BulkAPI.most.entries || items + resource.items.count > CatalogWorkbook.mostRows.items
        {
          try sheet?.end()
          sheet = nil
        }
        if sheet == nil {
          let name = Self.name(path, export.files.count + 1)
          export.files.append(name)
          (resources, items) = (0, 0)
          sheet =
            switch kind {
            case .xlsx: try WorkbookFileOfEntries(name, workbook, language)
            case .csv: try CSVFileOfEntries(name, workbook, language)
            case .json: try JSONFileOfEntries(name)
            }
        }
        try sheet?.append(resource, system: system)
        resources += 1
        items += resource.items.count
        export.entries += 1
      }
      after = end.0.id.text
    }
    try sheet?.end()
    return export
  }

  private static func name(_ path: String, _ part: Int) -> String {
    guard part > 1, let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else {
      return part > 1 ? "\(path)-\(part)" : path
    }
    return "\(path[..<dot])-\(part)\(path[dot...])"
  }
}

private protocol EntryFile {
  func append(_ resource: Resource, system: String) throws
  func end() throws
}

/// The workbook that an import takes, typed cells throughout: nothing in it is run.
private final class WorkbookFileOfEntries: EntryFile {
  private let writer: WorkbookWriter
  private let sheets: (resources: SheetWriter, items: SheetWriter)
  private let workbook: CatalogWorkbook
  private let language: Language

  init(_ path: String, _ workbook: CatalogWorkbook, _ language: Language) throws {
    writer = try WorkbookWriter(path: path, language: language)
    var plan = workbook.plan(.resources, language)
    plan.columns += ToldColumn.allCases.map { SheetColumn(language($0.title)) }
    sheets = (try writer.addSheet(plan), try writer.addSheet(workbook.plan(.items, language)))
    (self.workbook, self.language) = (workbook, language)
  }

  func append(_ resource: Resource, system: String) throws {
    let told: [CellValue] = [.text(resource.code?.description ?? ""), .text(resource.providerName)]
    try sheets.resources.append(workbook.cells(of: resource, system: system, language) + told)
    for item in resource.items {
      try sheets.items.append([.text(resource.metadata.name)] + workbook.cells(of: item, language))
    }
  }

  func end() throws { try writer.finish() }
}

/// Text beside its place until it is whole, then put there.
final class TextOutput {
  private let path: String
  private let handle: FileHandle

  init(_ path: String) throws {
    self.path = path
    guard FileManager.default.createFile(atPath: path + ".part", contents: nil),
      let handle = FileHandle(forWritingAtPath: path + ".part")
    else { throw Refusal(.unavailable, "catalog.export.file", Text("无法写入 \(path)。", "Cannot write \(path).")) }
    self.handle = handle
  }

  deinit { try? FileManager.default.removeItem(atPath: path + ".part") }

  func write(_ text: String) throws { try handle.write(contentsOf: Data(text.utf8)) }

  func end() throws {
    try handle.synchronize()
    try handle.close()
    guard rename(path + ".part", path) == 0 else {
      throw Refusal(.unavailable, "catalog.export.file", Text("无法写入 \(path)。", "Cannot write \(path)."))
    }
  }
}

/// For people: marked UTF-8, lines of CRLF, fields that a spreadsheet would run made harmless.
private final class CSVFileOfEntries: EntryFile {
  private let output: TextOutput
  private let workbook: CatalogWorkbook
  private let language: Language

  init(_ path: String, _ workbook: CatalogWorkbook, _ language: Language) throws {
    output = try TextOutput(path)
    (self.workbook, self.language) = (workbook, language)
    let own = workbook.resourceColumns.map { language($0.title) } + ToldColumn.allCases.map { language($0.title) }
    let items = workbook.itemColumns.dropFirst().map { language(CatalogCSV.itemMark) + language($0.title) }
    try output.write("\u{FEFF}" + CSV.line(own + items) + "\r\n")
  }

  func append(_ resource: Resource, system: String) throws {
    let first = workbook.cells(of: resource, system: system, language).map { CSV.guarded($0.shown) }
    let told = [resource.code?.description ?? "", CSV.guarded(resource.providerName)]
    let own = first + told
    let rest = [first[0]] + Array(repeating: "", count: own.count - 1)
    if resource.items.isEmpty {
      try output.write(CSV.line(own + Array(repeating: "", count: workbook.itemColumns.count - 1)) + "\r\n")
    }
    for (index, item) in resource.items.enumerated() {
      let cells = workbook.cells(of: item, language).map { CSV.guarded($0.shown) }
      try output.write(CSV.line((index == 0 ? own : rest) + cells) + "\r\n")
    }
  }

  func end() throws { try output.end() }
}

/// An entry a line, as the programming interface answers and takes it: in one array, or each by itself in `.ndjson`.
private final class JSONFileOfEntries: EntryFile {
  private let output: TextOutput
  private let isArray: Bool
  private var isFirst = true

  init(_ path: String) throws {
    output = try TextOutput(path)
    isArray = !path.lowercased().hasSuffix(".ndjson")
  }

  func append(_ resource: Resource, system: String) throws {
    let text = CatalogAPI.json(resource).text
    try output.write(isArray ? (isFirst ? "[\n" : ",\n") + text : text + "\n")
    isFirst = false
  }

  func end() throws {
    if isArray { try output.write("\n]\n") }
    try output.end()
  }
}

extension CatalogWorkbook {
  /// A resource as its row: codes with their names, as people choose them.
  fileprivate func cells(of resource: Resource, system: String, _ language: Language) -> [CellValue] {
    let m = resource.metadata
    let values = [
      "name": m.name, "classes": m.classes.joined(separator: "；"), "abstract": m.abstract, "format": m.format,
      "sharingType": m.sharingType, "sharingCondition": m.sharingCondition, "methodClass": m.methodClass,
      "methodType": m.methodType, "openType": m.openType, "openCondition": m.openCondition, "cycle": m.cycle,
      "related": m.related.joined(separator: "；"), "secrecy": m.secrecy, "level": m.level, "system": system,
    ]
    return resourceColumns.map { $0.cell(values[$0.field] ?? "", language) }
  }

  /// An item as its row, without the resource's name.
  fileprivate func cells(of item: Item, _ language: Language) -> [CellValue] {
    let values = [
      "name": item.name, "column": item.column, "dataType": item.dataType, "length": item.length.map(String.init) ?? "",
      "scale": item.scale.map(String.init) ?? "", "isNullable": language(item.isNullable ? Self.yes : Self.no),
      "isKey": language(item.isKey ? Self.yes : Self.no), "description": item.description,
      "sharingType": item.sharingType ?? "", "sharingCondition": item.sharingCondition, "grade": item.grade,
      "semantic": item.semantic ?? "",
    ]
    return itemColumns.dropFirst().map { $0.cell(values[$0.field] ?? "", language) }
  }

  private static let yes = Text("是", "Yes")
  private static let no = Text("否", "No")
}

extension WorkbookColumn {
  fileprivate func cell(_ value: String, _ language: Language) -> CellValue {
    if value.isEmpty { return .empty }
    switch content {
    case .text, .yesNo: return .text(value)
    case .number: return Int(value).map { .number($0) } ?? .text(value)
    case .code(let choices): return .text(choices.find(value)?.shown(language) ?? value)
    }
  }
}
