package import Connecting

/// How this context reaches the databases of departments. `App` makes it from the connectors it has.
package struct SourceProbe: Sendable {
  /// The kinds a person may choose, with the settings each needs.
  package var kinds: [ConnectorKind]
  package var probe: @Sendable (SourceAddress) async throws -> ConnectorProbe
  package var tables: @Sendable (SourceAddress) async throws -> [TableSummary]
  package var describe: @Sendable (SourceAddress, TableName) async throws -> TableDescription
  /// Values of text columns of at most so many rows, for guessing what they are. Never stored, never shown.
  package var sample: @Sendable (SourceAddress, TableDescription, _ limit: Int) async throws -> TableSample

  package init(
    kinds: [ConnectorKind],
    probe: @escaping @Sendable (SourceAddress) async throws -> ConnectorProbe,
    tables: @escaping @Sendable (SourceAddress) async throws -> [TableSummary],
    describe: @escaping @Sendable (SourceAddress, TableName) async throws -> TableDescription,
    sample: @escaping @Sendable (SourceAddress, TableDescription, _ limit: Int) async throws -> TableSample
  ) {
    self.kinds = kinds
    self.probe = probe
    self.tables = tables
    self.describe = describe
    self.sample = sample
  }

  package func kind(_ name: String) -> ConnectorKind? { kinds.first { $0.name == name } }

  /// Connectors block, so each call runs on a thread of its own.
  package static func through(_ catalog: ConnectorCatalog) -> SourceProbe {
    SourceProbe(
      kinds: catalog.kinds,
      probe: { address in
        try await BlockingThread.run { try catalog.open(address.kind, address.settings).probe() }
      },
      tables: { address in
        try await BlockingThread.run { try catalog.open(address.kind, address.settings).tables() }
      },
      describe: { address, table in
        try await BlockingThread.run { try catalog.open(address.kind, address.settings).describe(table) }
      },
      sample: { address, table, limit in
        try await BlockingThread.run {
          try TableSample.read(catalog.open(address.kind, address.settings), table, limit: limit)
        }
      })
  }
}

/// Some values of a table's text columns, in memory only.
package struct TableSample: Sendable {
  /// Column → values that were not null.
  package var values: [String: [String]]
  package var rows: Int

  package init(values: [String: [String]], rows: Int) {
    self.values = values
    self.rows = rows
  }

  /// Reads the first rows of the columns that hold text or whole numbers (ID numbers are sometimes kept as numbers).
  package static func read(_ connector: any Connector, _ table: TableDescription, limit: Int) throws -> TableSample {
    let looked = table.columns.filter { $0.type == .text }
    guard !looked.isEmpty else { return TableSample(values: [:], rows: 0) }
    var columns = looked.map { ReadPlan.Column($0.name, .text) }
    var key: [Int] = []
    for part in table.key {
      if let at = columns.firstIndex(where: { $0.name == part.name }) {
        key.append(at)
      } else if let type = part.type {
        key.append(columns.count)
        columns.append(ReadPlan.Column(part.name, type))
      }
    }
    let reader = try connector.openReader(
      ReadPlan(table: table.name, columns: columns, key: key.isEmpty ? [0] : key))
    defer { reader.close() }
    let batch = RowBatch(capacity: RowBatch.smallest)
    var sample = TableSample(values: [:], rows: 0)
    while sample.rows < limit {
      let outcome = try reader.read(into: batch)
      for index in 0..<batch.rowCount where sample.rows < limit {
        sample.rows += 1
        for (column, field) in zip(looked, batch.fields(index)) {
          if case .value(let bytes) = field {
            sample.values[column.name, default: []].append(String(decoding: bytes, as: UTF8.self))
          }
        }
      }
      if outcome == .end { break }
    }
    return sample
  }
}
