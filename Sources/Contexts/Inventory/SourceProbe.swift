package import Connecting
package import Kernel

/// How this context reaches the databases of departments. `App` makes it from the connectors it has.
package struct SourceProbe: Sendable {
  /// The kinds a person may choose, with the settings each needs.
  package var kinds: [ConnectorKind]
  package var probe: @Sendable (SourceAddress) async throws -> ConnectorProbe
  package var tables: @Sendable (SourceAddress) async throws -> [TableSummary]
  package var describe: @Sendable (SourceAddress, TableName) async throws -> TableDescription
  /// Every table described, in a few statements.
  package var survey: @Sendable (SourceAddress) async throws -> [TableDescription]
  /// One table looked at, with what shows whether it changed; and whether its types are declared or only seem so.
  package var examine:
    @Sendable (SourceAddress, TableName, _ columns: [String], _ cursor: String?) async throws -> Examined
  /// Values of text columns of at most so many rows, for guessing what they are. Never stored, never shown.
  package var sample: @Sendable (SourceAddress, TableDescription, _ limit: Int) async throws -> TableSample

  package init(
    kinds: [ConnectorKind],
    probe: @escaping @Sendable (SourceAddress) async throws -> ConnectorProbe,
    tables: @escaping @Sendable (SourceAddress) async throws -> [TableSummary],
    describe: @escaping @Sendable (SourceAddress, TableName) async throws -> TableDescription,
    survey: @escaping @Sendable (SourceAddress) async throws -> [TableDescription],
    examine: @escaping @Sendable (SourceAddress, TableName, [String], String?) async throws -> Examined,
    sample: @escaping @Sendable (SourceAddress, TableDescription, _ limit: Int) async throws -> TableSample
  ) {
    self.kinds = kinds
    self.probe = probe
    self.tables = tables
    self.describe = describe
    self.survey = survey
    self.examine = examine
    self.sample = sample
  }

  package struct Examined: Sendable {
    package var examination: TableExamination
    /// False where the types are only what the values look like today.
    package var declaresTypes: Bool
  }

  /// So long may one statement of an examination take.
  private static let examining: Duration = .seconds(20)
  /// So long is a source waited for that says nothing at all: longer than connecting and an examination may take.
  private static let silence: Duration = .seconds(45)
  /// The same for a schema of 20,000 tables.
  private static let silenceOfSurvey: Duration = .seconds(180)

  /// Its code: whoever asks the same source for more need not wait once more.
  package static let silent = "source.silent"

  /// Gives up waiting for a source that took the connection and answers nothing, whatever its client library does.
  private static func answered<T: Sendable>(
    within limit: Duration, _ body: @escaping @Sendable () throws -> T
  ) async throws -> T {
    guard let answer = try await BlockingThread.run(within: limit, body) else {
      try Task.checkCancellation()
      throw ConnectorError(
        .retryable, silent,
        Text(
          "数据源 \(limit.components.seconds) 秒内没有任何应答。",
          "The source answered nothing within \(limit.components.seconds) s."))
    }
    return answer
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
      survey: { address in
        try await answered(within: silenceOfSurvey) { try catalog.open(address.kind, address.settings).survey() }
      },
      examine: { address, table, columns, cursor in
        try await answered(within: silence) {
          let connector = try catalog.open(address.kind, address.settings)
          return Examined(
            examination: try connector.examine(table, columns: columns, cursor: cursor, within: examining),
            declaresTypes: connector.declaresTypes)
        }
      },
      sample: { address, table, limit in
        try await BlockingThread.run {
          try TableSample.read(catalog.open(address.kind, address.settings), table, limit: limit)
        }
      })
  }
}

extension DataSource.Probe {
  /// What a try to connect found, good or bad.
  package static func of(
    _ clock: Clock, _ connect: () async throws -> ConnectorProbe
  ) async -> DataSource.Probe {
    do {
      let answer = try await connect()
      return DataSource.Probe(
        at: clock.now(), product: answer.product, failure: nil, isProtected: answer.isProtected,
        isReadOnly: answer.isReadOnly)
    } catch {
      let failure =
        (error as? ConnectorError)?.message
        ?? Text("连接时出错（\(type(of: error))）。", "Connecting failed (\(type(of: error))).")
      return DataSource.Probe(at: clock.now(), product: nil, failure: failure, isProtected: false, isReadOnly: false)
    }
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

  /// Looks at rows from here and there of the columns that hold text or whole numbers (mobile and identity numbers are
  /// sometimes kept as numbers).
  package static func read(
    _ connector: any Connector, _ table: TableDescription, limit: Int, within time: Duration = sampling
  ) throws -> TableSample {
    let looked = table.columns.filter { $0.type == .text || $0.type == .integer }
    guard !looked.isEmpty else { return TableSample(values: [:], rows: 0) }
    let rows = try connector.peek(table.name, table.columns(looked.map(\.name)), rows: limit, within: time)
    var sample = TableSample(values: [:], rows: rows.count)
    for row in rows {
      for (column, value) in zip(looked, row) {
        if let value { sample.values[column.name, default: []].append(value) }
      }
    }
    return sample
  }

  /// So long may looking at one table's rows take.
  package static let sampling: Duration = .seconds(10)
}
