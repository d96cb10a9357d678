import Conformance
import Connecting
import ConnectorSQLite
import Kernel
import TestKit
import Testing

@testable import ConnectorMessages

@Suite struct ConformanceTests {
  @Test(arguments: Conformance.cases(for: MessagesStand.abilities).filter { $0.needs.contains(.writes) })
  func `received messages conform`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try MessagesStand())
    #expect(faults.isEmpty, "\(faults)")
  }
}

/// Written to by messages, read from the tables that the receiver has made of them.
final class MessagesStand: ConformanceStand, Connector {
  static let abilities: Set<ConformanceAbility> = [.writes]

  let receiver: MessageReceiver
  private let messages: any Connector
  private let tablesMade: SQLiteConnector

  init() throws {
    receiver = try MessageReceiver()
    messages = try MessagesConnector.kind.open(receiver.settings)
    tablesMade = SQLiteConnector(path: receiver.database)
  }

  var connector: any Connector { self }
  func insert(_ rows: [[String?]], into table: SampleTable) throws {}
  func run(_ sql: String) throws {}
  func quoted(_ name: String) -> String { name }
  func declared(_ column: WritePlan.Column) -> String { "" }
  func literal(_ text: String, as type: ValueType) -> String { text }

  var guarantee: ConnectorGuarantee { messages.guarantee }
  var declaresTypes: Bool { true }
  func probe() throws(ConnectorError) -> ConnectorProbe { try messages.probe() }
  func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter { try messages.openWriter(plan) }
  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader { try tablesMade.openReader(plan) }
  func tables() throws(ConnectorError) -> [TableSummary] { try tablesMade.tables() }
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription { try tablesMade.describe(table) }
  func survey() throws(ConnectorError) -> [TableDescription] { try tablesMade.survey() }
  func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] { try tablesMade.peek(table, columns, rows: rows, within: limit) }
  func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try tablesMade.examine(table, columns: columns, cursor: cursor, within: limit)
  }
}
