import Conformance
import Connecting
import TestKit
import Testing

@testable import ConnectorPostgreSQL

@Suite struct ConformanceTests {
  @Test(arguments: Conformance.cases(for: PostgreSQLStand.abilities))
  func `PostgreSQL conforms`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try PostgreSQLStand())
    #expect(faults.isEmpty, "\(faults)")
  }
}

struct PostgreSQLStand: ConformanceStand {
  static let abilities = Set(ConformanceAbility.allCases).subtracting([.nullKeys])

  let connector: any Connector
  private let address: PostgreSQLAddress

  init() throws {
    let server = try PostgresServer.shared.get()
    address = PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
    connector = PostgreSQLConnector(address)
  }

  func run(_ sql: String) throws { try PostgreSQLConnection(address).run("SET search_path = public; " + sql) }

  func quoted(_ name: String) -> String { PostgreSQLQuote.name(name) }

  func declared(_ column: WritePlan.Column) -> String { PostgreSQLTarget.type(column) }

  func literal(_ text: String, as type: ValueType) -> String {
    switch type {
    case .bytes: "'\\x\(text)'::bytea"
    case .timestamp: "'\(text)+00'"
    default: PostgreSQLQuote.text(text)
    }
  }
}
