import ArgumentParser
import Catalog
import Foundation
import Kernel
import Storage
import Web

/// A node whose catalogue holds as many entries as a large province's, written by the code that stores and indexes entries,
/// in large transactions and without review or log; with the demo's cast, so that pages can be timed.
struct BenchFill: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "fill", shouldDisplay: false)

  @OptionGroup var options: NodeOptions
  @Option(help: "How many published entries.") var entries = 1_000_000
  @Option(help: "Items of each.") var items = 12
  @Option(help: "Writes what is searched of each entry to this file, one a line, for a peer.") var dump: String?

  func run() async throws {
    let settings = try options.settings()
    _ = try await InitCommand.make(settings, clock: .system)
    let node = try await Node.open(settings)
    let cast = try await DemoCast.make(on: node)
    try cast.write(to: settings.data + "/accounts.json")
    let made = BenchEntries(count: entries, items: items)
    let output = try dump.map { path in
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }
    let begun = ContinuousClock.now
    for start in stride(from: 0, to: entries, by: 4096) {
      let numbers = start..<min(start + 4096, entries)
      let texts = try await node.database.write { tx in
        let now = node.clock.now()
        var texts = ""
        var measured: [Cataloguing.Measured] = []
        for index in numbers {
          let entry = made.made(index)
          if dump != nil { texts += entry.text.replacing("\n", with: " ") + "\n" }
          measured.append(
            .init(made.resource(index, entry, at: now), isMounted: entry.isMounted, freshness: entry.freshness))
        }
        try Cataloguing.moveIn(measured, on: now.dateInChina, classification: .embedded, in: tx)
        return texts
      }
      output?.write(Data(texts.utf8))
      try await node.cataloguing.mergeSearch()
      if start % (4096 * 24) == 0 {
        Terminal.error("\(numbers.upperBound) of \(entries), \(ContinuousClock.now - begun)")
      }
    }
    await node.close()
    Terminal.printJSON([
      ("entries", JSON(entries)), ("seconds", JSON(Int((ContinuousClock.now - begun).components.seconds))),
    ])
  }
}
