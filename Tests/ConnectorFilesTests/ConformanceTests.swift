import Conformance
import Connecting
import ConnectorFiles
import Foundation
import Kernel
import Testing

@Suite struct ConformanceTests {
  @Test(arguments: Conformance.cases(for: FilesStand.abilities), [FileFormat.csv, .jsonl, .xlsx])
  func `files conform`(test: ConformanceCase, format: FileFormat) throws {
    let faults = Conformance.faults(of: test, on: FilesStand(format))
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test(arguments: Conformance.cases(for: [.writes]).filter { $0.needs.contains(.writes) }, [FileFormat.csv, .jsonl])
  func `received files conform`(test: ConformanceCase, format: FileFormat) throws {
    let faults = Conformance.faults(of: test, on: FilesStand(format))
    #expect(faults.isEmpty, "\(faults)")
  }

  /// Values are the same files wherever they lie.
  @Test(
    arguments: Conformance.cases(for: [.writes]).filter {
      $0.needs.contains(.writes) && !$0.description.hasPrefix("values of")
    }, Place.allCases)
  func `files received elsewhere conform`(test: ConformanceCase, place: Place) throws {
    try place.with { settings, _, _ in
      let connector = try open(settings, ["format": "csv"])
      let faults = Conformance.faults(of: test, on: ElsewhereStand(connector: connector))
      #expect(faults.isEmpty, "\(faults)")
    }
  }
}

/// Nothing is there but what is written.
private struct ElsewhereStand: ConformanceStand {
  static let abilities: Set<ConformanceAbility> = [.writes]
  let connector: any Connector
  func insert(_ rows: [[String?]], into table: SampleTable) throws {}
  func run(_ sql: String) throws {}
  func quoted(_ name: String) -> String { name }
  func declared(_ column: WritePlan.Column) -> String { "" }
  func literal(_ text: String, as type: ValueType) -> String { text }
}

/// A folder of one format, the table a pattern of its name.
final class FilesStand: ConformanceStand {
  static let abilities: Set<ConformanceAbility> = [.nullKeys]

  let connector: any Connector
  private let format: FileFormat
  nonisolated(unsafe) private let folder = TemporaryFolder()

  init(_ format: FileFormat) {
    self.format = format
    connector = FilesConnector(
      .local(folder.path), FilesOptions(format: format, zone: 0, tables: ["人员.*", "样本表.*"]))
  }

  func make(_ table: SampleTable) throws {
    let names = table.columns.map(\.name)
    switch format {
    case .csv:
      folder.write(
        table.name + ".csv",
        ([names] + table.rows).map { row in
          row.map { text in text.map { "\"\($0.replacing("\"", with: "\"\""))\"" } ?? "" }.joined(separator: ",") + "\n"
        }.joined())
    case .jsonl:
      // A table without rows has no names at all; such a line is no row of the others.
      let lines = table.rows.map { row in
        "{"
          + zip(table.columns, row).map { column, text in
            "\(quoted(column.name)):\(text.map { literal($0, as: column.type) } ?? "null")"
          }
          .joined(separator: ",") + "}\n"
      }
      folder.write(table.name + ".jsonl", lines.joined())
    case .xlsx:
      // Scalar by scalar: to Swift a carriage return and a line feed are one character.
      func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
          switch scalar {
          case "&": "&amp;"
          case "<": "&lt;"
          case "\r": "&#13;"
          default: String(Character(scalar))
          }
        }.joined()
      }
      func cell(_ text: String) -> String { "<is><t xml:space=\"preserve\">\(escaped(text))</t></is>" }
      func row(_ texts: [String?], _ number: Int) -> String {
        texts.enumerated().map { column, text in
          text.map {
            "<c r=\"\(Character(Unicode.Scalar(UInt8(65 + column))))\(number)\" t=\"inlineStr\">\(cell($0))</c>"
          } ?? ""
        }.joined()
      }
      try Workbooks.write(
        "\(folder.path)/\(table.name).xlsx",
        [("表", [row(names, 1)] + table.rows.enumerated().map { row($1, $0 + 2) })])
    }
  }

  func insert(_ rows: [[String?]], into table: SampleTable) throws {}
  func run(_ sql: String) throws {}
  func declared(_ column: WritePlan.Column) -> String { "" }

  func quoted(_ name: String) -> String {
    String(
      decoding: try! JSONSerialization.data(withJSONObject: [name], options: []).dropFirst().dropLast(), as: UTF8.self)
  }

  func literal(_ text: String, as type: ValueType) -> String {
    switch type {
    case .integer, .decimal, .double, .boolean: text
    default: quoted(text)
    }
  }

  func holds(_ text: String, as type: ValueType) -> Bool {
    // No format of these holds bytes; a cell holds 32,767 characters at most and no difference of empty and missing.
    if type == .bytes { return false }
    return format != .xlsx || !text.isEmpty && text.utf16.count <= 32_767
  }
}
