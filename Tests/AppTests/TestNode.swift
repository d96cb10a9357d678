import Foundation
import Kernel
import Storage
import TestKit

@testable import App

/// A whole node in a temporary folder, on either engine, with the demo's people.
func withNode<T>(
  _ engine: Engine, from start: Instant = DemoClock.start, flags: [String: String] = [:],
  isolation: isolated (any Actor)? = #isolation,
  _ body: (Node, DemoCast, DemoClock, String) async throws -> T
) async throws -> T {
  try await withTemporaryFolder { folder in
    var address = "sqlite:\(folder)/node.sqlite"
    var drop: () -> Void = {}
    if engine == .postgres {
      let server = try PostgresServer.shared.get()
      let name = try server.makeDatabase()
      address = server.address(of: name)
      drop = { try? server.dropDatabase(name) }
    }
    defer { drop() }
    // The servers that tests start listen on sockets in folders.
    let own = ["data": folder, "database": address, "port": "0", "socket-sources": "yes"]
    let settings = try Settings(.init(flags: own.merging(flags) { $1 }))
    let clock = DemoClock(from: start)
    _ = try await InitCommand.make(settings, clock: clock.clock)
    let node = try await Node.open(settings, clock: clock.clock)
    let cast = try await DemoCast.make(on: node)
    do {
      let value = try await body(node, cast, clock, folder)
      await node.database.close()
      return value
    } catch {
      await node.database.close()
      throw error
    }
  }
}
