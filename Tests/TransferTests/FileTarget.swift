import Connecting
import Foundation
import Kernel
import Remote
import Synchronization
import Testing

@testable import ConnectorFiles
@testable import Transfer

/// A folder that receives, whose worker can be ended or held up at any step.
final class FileTarget: Connector, @unchecked Sendable {
  let folder: String
  let inner: FilesConnector
  private let format: FileFormat
  private let step: @Sendable (TargetStep) throws(ConnectorError) -> Void

  init(
    _ folder: String, _ format: FileFormat = .csv, grace: Duration = .seconds(86_400), fileBytes: Int = 30_000,
    step: @escaping @Sendable (TargetStep) throws(ConnectorError) -> Void = { _ in }
  ) {
    self.folder = folder
    self.format = format
    self.step = step
    inner = FilesConnector(
      .local(folder), FilesOptions(format: format), writing: WrittenFiles(grace: grace, fileBytes: fileBytes))
  }

  var guarantee: ConnectorGuarantee { inner.guarantee }
  var declaresTypes: Bool { inner.declaresTypes }
  func probe() throws(ConnectorError) -> ConnectorProbe { try inner.probe() }
  func tables() throws(ConnectorError) -> [TableSummary] { try inner.tables() }
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription { try inner.describe(table) }
  func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try inner.examine(table, columns: columns, cursor: cursor, within: limit)
  }
  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader { try inner.openReader(plan) }

  func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    let step = step
    return FileSetWriter(
      plan, LocalTargetFolder(plan.table.name, in: folder) { moment throws(ConnectorError) in try step(moment) },
      format,
      inner.writing, place: folder)
  }
}

/// What a consumer sees who has read nothing but the documentation: the manifest of the highest number, the files that it
/// names, one after the other.
struct FolderReading {
  var persons: [Int: Person] = [:]
  /// Keys that were flagged after their last version.
  var stale: Set<Int> = []
  var manifest: [String: Any] = [:]
  var files: [[String: Any]] = []
  /// Lines that bear a row, in all files.
  var lines = 0

  init(_ folder: String, _ table: String = "person") throws {
    let path = folder + "/" + table
    let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    let last = try #require(names.last { $0.hasPrefix("manifest-") && $0.hasSuffix(".json") })
    let data = try Data(contentsOf: URL(fileURLWithPath: path + "/" + last))
    manifest = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    files = try #require(manifest["files"] as? [[String: Any]])
    for file in files {
      let name = try #require(file["name"] as? String)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
      #expect(bytes.count == file["bytes"] as? Int, "\(name)")
      let isOperations = file["content"] as? String == "operations"
      let records =
        name.hasSuffix(".csv") ? try Self.csv(String(decoding: bytes, as: UTF8.self)) : try Self.lines(bytes)
      var rows = 0
      for record in records {
        let id = try #require(record["id"].flatMap { $0 }.flatMap { Int($0) })
        switch isOperations ? record["sj_operation"] ?? nil : "upsert" {
        case "upsert":
          rows += 1
          if !isOperations { #expect(persons[id] == nil, "\(id) twice") }
          persons[id] = Person(
            id: id, name: record["name"] ?? nil, capital: record["capital"] ?? nil, born: record["born"] ?? nil,
            changed: nil)
          stale.remove(id)
        case "delete":
          persons[id] = nil
          stale.remove(id)
        case "stale": stale.insert(id)
        case let other: Issue.record("operation \(String(describing: other))")
        }
      }
      #expect(rows == file["rows"] as? Int, "\(name)")
      lines += rows
    }
  }

  /// As one truth: thousands of persons are not to be printed.
  func holds(_ persons: [Person]) -> Bool { sorted == persons }

  private var sorted: [Person] { persons.values.sorted { ($0.id ?? 0) < ($1.id ?? 0) } }

  private static func lines(_ bytes: Data) throws -> [[String: String?]] {
    try bytes.split(separator: 0x0A).map { line in
      let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
      return object.mapValues { $0 is NSNull ? nil : "\($0)" }
    }
  }

  /// RFC 4180, and an empty field without quotes is NULL.
  private static func csv(_ text: String) throws -> [[String: String?]] {
    var (rows, row, field): ([[String?]], [String?], String) = ([], [], "")
    var (isQuoted, wasQuoted) = (false, false)
    func end() {
      row.append(field.isEmpty && !wasQuoted ? nil : field)
      (field, wasQuoted) = ("", false)
    }
    let scalars = Array(text.unicodeScalars)
    var at = 0
    while at < scalars.count {
      let scalar = scalars[at]
      if isQuoted {
        if scalar == "\"", at + 1 < scalars.count, scalars[at + 1] == "\"" {
          field.unicodeScalars.append("\"")
          at += 1
        } else if scalar == "\"" {
          isQuoted = false
        } else {
          field.unicodeScalars.append(scalar)
        }
      } else if scalar == "\"" {
        (isQuoted, wasQuoted) = (true, true)
      } else if scalar == "," {
        end()
      } else if scalar == "\n" {
        end()
        rows.append(row)
        row = []
      } else if scalar != "\r" {
        field.unicodeScalars.append(scalar)
      }
      at += 1
    }
    #expect(row.isEmpty && field.isEmpty, "the last line has no end")
    let names = rows.removeFirst().map { $0 ?? "" }
    return rows.map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
  }
}

extension Grant {
  @discardableResult
  func deliver(
    _ mode: DeliveryPlan.Mode, run: String, fence: Int64 = 1, from source: Stand, to target: any Connector
  ) async throws -> DeliveryOutcome {
    let keeper = self.keeper
    return try await Delivery(
      plan(mode, run: run, fence: fence), control: DeliveryControl(quarantine: { keeper.take($0) })
    ).run(from: source.connector, to: target)
  }
}
