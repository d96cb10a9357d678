import ArgumentParser
import Catalog
import Connecting
import Foundation
import Inventory
import Kernel
import Mounting
import Storage
import Web

/// Times how a source's schema is read: by itself, with what is kept of it, and again with nothing changed.
struct BenchDiscovery: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "discovery", shouldDisplay: false)

  @OptionGroup var options: NodeOptions
  @Option(help: "The source's connector.") var kind: String
  @Option(help: "name=value, repeated: its settings.") var source: [String]

  func run() async throws {
    let settings = try options.settings()
    _ = try await InitCommand.make(settings, clock: .system)
    let node = try await Node.open(settings)
    let cast = try await DemoCast.make(on: node)
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "测量用业务系统", function: "测量", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2015-06-18"), fundSource: "省级财政", network: "2", stage: "4"))
    let made = try await node.register.addSource(
      cast.officer, system.id,
      SourceDraft(name: "业务库", kind: kind, settings: try BenchCommand.settings(source)))
    let clock = ContinuousClock()
    let (register, mounting) = (node.register, node.mounting)
    var found: (tables: Int, columns: Int) = (0, 0)
    let read = try await clock.measure {
      let tables = try await register.survey(cast.officer, made.id).tables
      found = (tables.count, tables.reduce(0) { $0 + $1.columns.count })
    }
    let kept = try await clock.measure { _ = try await mounting.survey(cast.officer, made.id) }
    var changed = 0
    let again = try await clock.measure { changed = try await mounting.survey(cast.officer, made.id) }
    await node.close()
    Terminal.printJSON([
      ("tables", JSON(found.tables)), ("columns", JSON(found.columns)), ("changed", JSON(changed)),
      ("readMilliseconds", JSON(Int(read.inMilliseconds))), ("keptMilliseconds", JSON(Int(kept.inMilliseconds))),
      ("againMilliseconds", JSON(Int(again.inMilliseconds))),
    ])
  }
}
