import Connecting

/// What the files of a folder are.
package enum FileFormat: String, Hashable, Sendable, CaseIterable {
  case csv, xlsx, jsonl

  /// In small letters.
  var endings: [String] {
    switch self {
    case .csv: [".csv"]
    case .xlsx: [".xlsx", ".xlsm"]
    case .jsonl: [".jsonl", ".ndjson"]
    }
  }

  var product: String {
    switch self {
    case .csv: "CSV (RFC 4180)"
    case .xlsx: "XLSX (ECMA-376)"
    case .jsonl: "JSON Lines"
    }
  }
}

/// How the files of one place are to be read.
package struct FilesOptions: Hashable, Sendable {
  package var format: FileFormat
  /// What a date and time without a zone means, in seconds east of UTC.
  package var zone: Int
  /// What stands for NULL besides an empty field; empty for nothing. Not in JSON, which has its own.
  package var nullText: String
  /// Of CSV files without a byte-order mark; nil to find out.
  package var encoding: CSVEncoding?
  /// Of a workbook; empty for the first that is visible.
  package var sheet: String
  /// Each a table of all files that fit it; without any, each file is a table.
  var patterns: [NamePattern]

  package init(
    format: FileFormat, zone: Int = SettingRules.usualZone, nullText: String = "", encoding: CSVEncoding? = nil,
    sheet: String = "",
    tables: [String] = []
  ) {
    self.format = format
    self.zone = zone
    self.nullText = nullText
    self.encoding = encoding
    self.sheet = sheet
    patterns = tables.compactMap { NamePattern($0) }
  }

  var csv: CSVOptions { CSVOptions(zone: zone, nullText: nullText, encoding: encoding) }
}

/// One file of a table, looked through whole before any of it is delivered.
protocol TablePart {
  /// Those it has; of JSON lines, those of the plan that any line has.
  var columns: [String] { get }
  var rows: Int { get }
  /// Of the content.
  var digest: [UInt8] { get }
  /// `after` is a position of such a reader. `withoutKeys`: only rows without a key.
  func reader(
    _ plan: ReadPlan, _ file: SourceFile, after: [UInt8]?, withoutKeys: Bool
  ) throws(ConnectorError) -> any RowReader
}

/// A CSV file as a part of a table.
struct CSVPart: TablePart {
  let structure: CSVStructure
  private let options: CSVOptions

  var columns: [String] { structure.columns }
  var rows: Int { structure.rows }
  var digest: [UInt8] { structure.digest }

  /// `after` is where a reader of this part will go on.
  init(_ file: SourceFile, _ options: CSVOptions, after: [UInt8]?) throws(ConnectorError) {
    structure = try CSVStructure(
      file, declared: options.encoding, tailFrom: try CSVReader.place(after)?.offset ?? 0)
    self.options = options
  }

  func reader(
    _ plan: ReadPlan, _ file: SourceFile, after: [UInt8]?, withoutKeys: Bool
  ) throws(ConnectorError) -> any RowReader {
    try CSVReader(plan, file, structure, options, from: try CSVReader.place(after), withoutKeys: withoutKeys)
  }
}
