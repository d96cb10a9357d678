import Conformance
import Connecting
import TestKit
import Testing

@testable import ConnectorMariaDB

@Suite struct ConformanceTests {
  @Test(arguments: Conformance.cases(for: MariaDBStand.abilities))
  func `MariaDB conforms`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try MariaDBStand())
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test(arguments: Conformance.cases(for: MariaDBStand.abilities).filter { $0.needs.contains(.writes) })
  func `a server that takes no arrays conforms`(test: ConformanceCase) throws {
    let faults = Conformance.faults(of: test, on: try MariaDBStand(usesArrays: false))
    #expect(faults.isEmpty, "\(faults)")
  }
}

struct MariaDBStand: ConformanceStand {
  static let abilities = Set(ConformanceAbility.allCases).subtracting([.nullKeys])

  let connector: any Connector
  private let address: MariaDBAddress

  init(usesArrays: Bool = true) throws {
    let server = try MariaDBServer.shared.get()
    var address = MariaDBAddress(
      host: "", database: try server.makeDatabase(), user: "root", zone: 28_800, socket: server.socket)
    address.usesArrays = usesArrays
    self.address = address
    connector = MariaDBConnector(address)
  }

  func run(_ sql: String) throws { try MariaDBConnection(address).run(sql) }

  func quoted(_ name: String) -> String { MariaDBQuote.name(name) }

  func declared(_ column: WritePlan.Column) -> String {
    MariaDBTargetTypes.type(column) + (column.type == .text ? " COLLATE utf8mb4_nopad_bin" : "")
  }

  func literal(_ text: String, as type: ValueType) -> String {
    switch type {
    case .bytes: "X'\(text)'"
    case .boolean: text == "true" ? "1" : "0"
    case .double: text + (text.contains("e") ? "" : "e0")
    case .timestamp:
      // As a clerk in Xining sees it.
      "'\(Array(text.utf8).withUnsafeBytes { WrittenTime.microseconds($0, zone: 0) }.flatMap { MariaDBWrittenValue.time($0, zone: 28_800) } ?? "")'"
    default: MariaDBQuote.text(text)
    }
  }
}
